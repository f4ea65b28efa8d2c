//! Division by the root of a mean of squares, as all generators have it.

use ndarray::{Array4, arr1};

use crate::graph::operators::{Convolution, add, conv, div, mul, reduce_mean, sqrt};
use crate::graph::{GraphBuilder, Value, scalar};

/// What keeps a division by a norm from a division by 0.
pub(super) const EPSILON: f32 = 1e-8;

/// Codes `[batch, values]`, each divided by the root of the mean of its squares.
pub(super) fn normalized_codes(graph: &mut GraphBuilder, codes: &Value) -> Value {
    let squares = mul(graph, codes, codes);
    let mean = reduce_mean(graph, &squares, &[1]);
    let epsilon = graph.constant(&scalar(EPSILON));
    let mean = add(graph, &mean, &epsilon);
    let root = sqrt(graph, &mean);
    div(graph, codes, &root)
}

/// The root of the mean of squares over the channels of feature maps.
///
/// The mean is a 1×1 convolution. `ReduceSumSquare` takes two to three times as long in ONNX Runtime; `ReduceMean` takes twice as long
/// for one image.
pub(super) fn root_mean_square(graph: &mut GraphBuilder, features: &Value, channels: usize) -> Value {
    let squares = mul(graph, features, features);
    let ones = Array4::<f32>::ones((1, channels, 1, 1));
    let shares = graph.constant(&(&ones / ones.sum()));
    let epsilon = graph.constant(&arr1(&[EPSILON]));
    let mean = conv(graph, &squares, &shares, Some(&epsilon), Convolution::padded(0));
    sqrt(graph, &mean)
}

/// Pixel normalization of feature maps: the values of each pixel, divided by their root mean square.
pub(super) fn pixel_norm(graph: &mut GraphBuilder, features: &Value, channels: usize) -> Value {
    let norm = root_mean_square(graph, features, channels);
    div(graph, features, &norm)
}
