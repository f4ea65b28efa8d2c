//! Operators on the elements of tensors, and sums over axes.

use crate::graph::builder::{GraphBuilder, Value, float, integer};
use crate::graph::tensors::scalar;

/// a + b, broadcast.
pub fn add(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    graph.node("Add", &[a, b], vec![])
}

/// a − b, broadcast.
pub fn sub(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    graph.node("Sub", &[a, b], vec![])
}

/// a · b, element by element, broadcast.
pub fn mul(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    graph.node("Mul", &[a, b], vec![])
}

/// a / b, element by element, broadcast.
pub fn div(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    graph.node("Div", &[a, b], vec![])
}

/// √a.
pub fn sqrt(graph: &mut GraphBuilder, a: &Value) -> Value {
    graph.node("Sqrt", &[a], vec![])
}

/// 1 / a.
pub fn reciprocal(graph: &mut GraphBuilder, a: &Value) -> Value {
    graph.node("Reciprocal", &[a], vec![])
}

/// The product of the matrices in the last two axes.
pub fn matmul(graph: &mut GraphBuilder, a: &Value, b: &Value) -> Value {
    graph.node("MatMul", &[a, b], vec![])
}

/// The product of the matrices `a` and `b`, plus `c`, which is broadcast.
pub fn gemm(graph: &mut GraphBuilder, a: &Value, b: &Value, c: &Value) -> Value {
    graph.node("Gemm", &[a, b, c], vec![])
}

/// `a` where it is positive, `slope · a` elsewhere.
pub fn leaky_relu(graph: &mut GraphBuilder, a: &Value, slope: f32) -> Value {
    graph.node("LeakyRelu", &[a], vec![float("alpha", slope)])
}

/// `a`, limited to `low`..=`high`.
pub fn clip(graph: &mut GraphBuilder, a: &Value, low: f32, high: f32) -> Value {
    let low = graph.constant(&scalar(low));
    let high = graph.constant(&scalar(high));
    graph.node("Clip", &[a, &low, &high], vec![])
}

/// The mean over `axes`, which keep the length 1.
pub fn reduce_mean(graph: &mut GraphBuilder, a: &Value, axes: &[i64]) -> Value {
    let axes = graph.integers(axes);
    graph.node("ReduceMean", &[a, &axes], vec![integer("keepdims", 1)])
}

/// The sum over `axes`, which keep the length 1.
pub fn reduce_sum(graph: &mut GraphBuilder, a: &Value, axes: &[i64]) -> Value {
    let axes = graph.integers(axes);
    graph.node("ReduceSum", &[a, &axes], vec![integer("keepdims", 1)])
}
