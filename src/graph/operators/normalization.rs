//! Normalization.

use crate::graph::builder::{GraphBuilder, Value, float};

/// Each channel of `a` `[batch, channels, height, width]` brought to mean 0 and variance 1 over its pixels, then times
/// `scale` and plus `shift`, each `[channels]`.
pub fn instance_normalization(
    graph: &mut GraphBuilder,
    a: &Value,
    scale: &Value,
    shift: &Value,
    epsilon: f32,
) -> Value {
    let attributes = vec![float("epsilon", epsilon)];
    graph.node("InstanceNormalization", &[a, scale, shift], attributes)
}
