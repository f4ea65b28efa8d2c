//! Feature maps `[batch, channels, height, width]`, as all generators treat them.

use ndarray::{Array1, ArrayD, Axis as Dim};

use crate::graph::operators::add;
use crate::graph::{Axis, GraphBuilder, Value};

/// Height and width of the feature map that has an optional input. If a generator has no such map, the nearest one has it.
pub(super) const CORRECTED_SIZE: usize = 32;

/// The features plus the optional input `feature_<height>`, which corrects them. Its default is zero.
pub(super) fn corrected(graph: &mut GraphBuilder, features: &Value, channels: usize, size: usize) -> Value {
    let [deep, high, wide] = [channels, size, size].map(Axis::Fixed);
    let axes = [Axis::batch(), deep, high, wide];
    let zero = ArrayD::zeros(vec![1, channels, size, size]);
    let correction = graph.optional_input(&format!("feature_{size}"), &axes, &zero);
    add(graph, features, &correction)
}

/// A constant with a value for each channel, to be broadcast over a feature map.
pub(super) fn per_channel(graph: &mut GraphBuilder, values: &Array1<f32>) -> Value {
    let values = values
        .view()
        .insert_axis(Dim(0))
        .insert_axis(Dim(2))
        .insert_axis(Dim(3));
    graph.constant(&values)
}

/// The features plus a value for each channel.
pub(super) fn add_bias(graph: &mut GraphBuilder, features: &Value, bias: &Array1<f32>) -> Value {
    let bias = per_channel(graph, bias);
    add(graph, features, &bias)
}
