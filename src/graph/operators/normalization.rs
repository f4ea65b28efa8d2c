//! Normalization.

use ndarray::ArrayD;

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

/// `scale · a + shift` for each channel of `a` `[batch, channels, height, width]`: a batch normalization with its statistics
/// folded into `scale` and `shift`, both `[channels]`.
pub fn batch_normalization(
    graph: &mut GraphBuilder,
    a: &Value,
    scale: &ArrayD<f32>,
    shift: &ArrayD<f32>,
) -> Value {
    let mean = graph.constant(&ArrayD::zeros(scale.raw_dim()));
    let variance = graph.constant(&ArrayD::ones(scale.raw_dim()));
    let (scale, shift) = (graph.constant(scale), graph.constant(shift));
    graph.node(
        "BatchNormalization",
        &[a, &scale, &shift, &mean, &variance],
        vec![float("epsilon", 0.0)],
    )
}
