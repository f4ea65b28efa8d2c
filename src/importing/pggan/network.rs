//! The graph of a PGGAN generator.

use crate::graph::operators::{self as op, Convolution as Settings};
use crate::graph::{Axis, GraphBuilder, Model, Value, signed};
use crate::importing::feature_maps::add_bias;
use crate::importing::normalization::{normalized_codes, pixel_norm, root_mean_square};
use crate::importing::pggan::weights::{Convolution, GeneratorWeights};
use crate::importing::progressive::{SLOPE, add_optional_feature, doubled, image_output, scale, scaled};

/// `z` `[batch, z_dim]` → `image`. The optional feature map is added before its pixel normalization.
pub(super) fn synthesis(weights: &GeneratorWeights) -> Model {
    let mut graph = GraphBuilder::new("PGGAN");
    let z = graph.input("z", &[Axis::batch(), Axis::Fixed(weights.z_dim())]);
    let mut channels = weights.dense_bias.len();
    let mut height = 4;
    let mut features = first_layer(&mut graph, weights, &z);
    for (index, layer) in weights.convolutions.iter().enumerate() {
        features = pixel_norm(&mut graph, &features, channels);
        channels = layer.bias.len();
        if index % 2 == 1 {
            height *= 2;
            features = doubling(&mut graph, layer, &features, height);
        } else {
            features = convolution(&mut graph, layer, &features);
            features = add_optional_feature(&mut graph, &features, channels, height, weights.resolution());
        }
    }
    let image = to_rgb(&mut graph, &weights.to_rgb, &features, channels);
    image_output(&mut graph, &image, weights.resolution());
    graph.finish()
}

/// The dense layer.
fn first_layer(graph: &mut GraphBuilder, weights: &GeneratorWeights, z: &Value) -> Value {
    let z_dim = weights.z_dim();
    let z = normalized_codes(graph, z);
    let matrix = &weights.dense * scale(2_f64.sqrt() / 4.0, z_dim);
    let matrix = graph.constant(&matrix);
    let features = op::matmul(graph, &z, &matrix);
    let features = op::reshape(graph, &features, &[-1, signed(weights.dense_bias.len()), 4, 4]);
    let features = add_bias(graph, &features, &weights.dense_bias);
    op::leaky_relu(graph, &features, SLOPE)
}

/// A 3×3 convolution and its activation.
fn convolution(graph: &mut GraphBuilder, layer: &Convolution, features: &Value) -> Value {
    let kernel = graph.constant(&scaled(&layer.kernel, 2_f64.sqrt()));
    let bias = graph.constant(&layer.bias);
    let features = op::conv(graph, features, &kernel, Some(&bias), Settings::padded(1));
    op::leaky_relu(graph, &features, SLOPE)
}

/// Doubling by nearest neighbour, a 3×3 convolution, and its activation.
fn doubling(graph: &mut GraphBuilder, layer: &Convolution, features: &Value, height: usize) -> Value {
    let kernel = scaled(&layer.kernel, 2_f64.sqrt());
    let features = doubled(graph, features, &kernel, Some(&layer.bias), height);
    op::leaky_relu(graph, &features, SLOPE)
}

/// Red, green and blue of the normalized features. The division by the norm comes after the convolution, where there are
/// fewer channels.
fn to_rgb(graph: &mut GraphBuilder, layer: &Convolution, features: &Value, channels: usize) -> Value {
    let norm = root_mean_square(graph, features, channels);
    let kernel = graph.constant(&scaled(&layer.kernel, 1.0));
    let image = op::conv(graph, features, &kernel, None, Settings::padded(0));
    let image = op::div(graph, &image, &norm);
    add_bias(graph, &image, &layer.bias)
}
