//! Styles: what a w code does to the feature maps of a layer.

use ndarray::{Array2, Array4, ArrayD, Axis as Dim};

use crate::graph::operators::{add, matmul, mul, reciprocal, reshape, slice, sqrt, unsqueeze};
use crate::graph::{Axis, GraphBuilder, Value, scalar, signed};

/// What keeps the demodulation from dividing by zero.
const EPSILON: f32 = 1e-8;

/// A w code `[batch, w_dim]` of `codes` `[batch, layers, w_dim]`.
pub(super) fn code(graph: &mut GraphBuilder, codes: &Value, index: usize, w_dim: usize) -> Value {
    let code = slice(graph, codes, 1, signed(index), signed(index + 1));
    reshape(graph, &code, &[-1, signed(w_dim)])
}

/// A style `[batch, values]` plus the optional input `style_<index>`, which edits it. Its default is zero.
pub(super) fn edited(graph: &mut GraphBuilder, style: &Value, index: usize, values: usize) -> Value {
    let axes = [Axis::batch(), Axis::Fixed(values)];
    let zero = ArrayD::zeros(vec![1, values]);
    let edit = graph.optional_input(&format!("style_{index}"), &axes, &zero);
    add(graph, style, &edit)
}

/// The factor of each channel of a modulated convolution's output, `[batch, out]`: gain / √(Σᵢ sᵢ² Σ k²ᵢ).
pub(super) fn demodulation(
    graph: &mut GraphBuilder,
    style: &Value,
    kernel: &Array4<f32>,
    gain: f32,
) -> Value {
    let gain = gain * gain;
    let squares = kernel.mapv(|value| value * value);
    let squares: Array2<f32> = squares.sum_axis(Dim(3)).sum_axis(Dim(2)).reversed_axes() / gain;
    let squares = graph.constant(&squares);
    let epsilon = graph.constant(&scalar(EPSILON / gain));
    let style = mul(graph, style, style);
    let variance = matmul(graph, &style, &squares);
    let variance = add(graph, &variance, &epsilon);
    let deviation = sqrt(graph, &variance);
    reciprocal(graph, &deviation)
}

/// The features with each channel multiplied by its factor in `[batch, channels]`.
pub(super) fn multiplied(graph: &mut GraphBuilder, features: &Value, factors: &Value) -> Value {
    let factors = unsqueeze(graph, factors, &[2, 3]);
    mul(graph, features, &factors)
}
