//! Activations.

use crate::graph::builder::{GraphBuilder, Value};

/// `a` where it is positive, 0 elsewhere.
pub fn relu(graph: &mut GraphBuilder, a: &Value) -> Value {
    graph.node("Relu", &[a], vec![])
}

/// `a` where it is positive, `slope · a` elsewhere. `slope` is broadcast.
pub fn prelu(graph: &mut GraphBuilder, a: &Value, slope: &Value) -> Value {
    graph.node("PRelu", &[a, slope], vec![])
}

/// 1 / (1 + e⁻ᵃ).
pub fn sigmoid(graph: &mut GraphBuilder, a: &Value) -> Value {
    graph.node("Sigmoid", &[a], vec![])
}

/// The sine of `a`, in radians.
pub fn sin(graph: &mut GraphBuilder, a: &Value) -> Value {
    graph.node("Sin", &[a], vec![])
}
