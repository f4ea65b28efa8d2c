//! What the generators that grow by progressive training have in common: PGGAN and StyleGAN.

use std::iter;

use ndarray::{Array1, Array4, ArrayD, ArrayView4, Slice};

use crate::graph::operators::{self as op, Convolution};
use crate::graph::{Axis, GraphBuilder, Value};
use crate::importing::feature_maps::{CORRECTED_SIZE, corrected};
use crate::importing::{ImportError, Weights};

/// The slope of the leaky `ReLU` below 0.
pub(super) const SLOPE: f32 = 0.2;
/// The most blocks of a generator: 16384×16384 pixels.
pub(super) const LARGEST_BLOCKS: usize = 13;

/// The factor of a layer's weights, by the number of weights that one of its outputs has: `gain` / √`weights`.
pub(super) fn scale(gain: f64, weights: usize) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "graphs compute in f32")]
    let scale = (gain / f64::from(count(weights)).sqrt()) as f32;
    scale
}

/// A kernel `[out, in, y, x]`, times the factor of its equalized learning rate.
pub(super) fn scaled(kernel: &Array4<f32>, gain: f64) -> Array4<f32> {
    let (_, inputs, height, width) = kernel.dim();
    kernel * scale(gain, inputs * height * width)
}

/// The kernel of a tensor, with its axes brought into the order of `axes`, in which its shape must be `expected`.
pub(super) fn permuted(
    weights: &Weights<'_>,
    tensor: &str,
    axes: [usize; 4],
    expected: [usize; 4],
) -> Result<Array4<f32>, ImportError> {
    let kernel: Array4<f32> = weights.array(tensor)?;
    let found = kernel.shape().to_vec();
    let kernel = kernel.permuted_axes(axes);
    if kernel.shape() != expected {
        let mut stored = [0; 4];
        for (axis, length) in axes.into_iter().zip(expected) {
            stored[axis] = length;
        }
        return Err(weights.unexpected(tensor, found, &format!("{stored:?}")));
    }
    Ok(kernel.as_standard_layout().into_owned())
}

/// The height from which a doubling is a resizing and a convolution.
const LARGE: usize = 1024;

/// Doubling by nearest neighbour to `height`, followed by the correlation with the 3×3 kernel `[out, in, y, x]`.
///
/// Both in one transposed convolution is fastest, but ONNX Runtime then first writes all products, which are four times as many as the
/// output has values. Large images have few channels, so that the plain way costs them little.
pub(super) fn doubled(
    graph: &mut GraphBuilder,
    features: &Value,
    kernel: &Array4<f32>,
    bias: Option<&Array1<f32>>,
    height: usize,
) -> Value {
    let bias = bias.map(|bias| graph.constant(bias));
    if height < LARGE {
        let kernel = graph.constant(&doubling_kernel(kernel));
        let settings = Convolution::padded(1).strided(2);
        return op::conv_transpose(graph, features, &kernel, bias.as_ref(), settings);
    }
    let large = op::resize(graph, features, 2);
    let kernel = graph.constant(kernel);
    op::conv(graph, &large, &kernel, bias.as_ref(), Convolution::padded(1))
}

/// The 4×4 kernel `[in, out, y, x]` of a transposed convolution with stride 2 and padding 1 that equals doubling by nearest
/// neighbour, followed by the correlation with the 3×3 kernel `[out, in, y, x]`.
///
/// It needs 16 products for 4 pixels where the correlation of the doubled image needs 36.
fn doubling_kernel(kernel: &Array4<f32>) -> ArrayD<f32> {
    let (outputs, inputs, ..) = kernel.dim();
    let adjoint = reversed(kernel.view()).permuted_axes([1, 0, 2, 3]);
    let mut sum = Array4::zeros((inputs, outputs, 4, 4));
    for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut rows = sum.slice_axis_mut(ndarray::Axis(2), Slice::from(y..y + 3));
        let mut shifted = rows.slice_axis_mut(ndarray::Axis(3), Slice::from(x..x + 3));
        shifted += &adjoint;
    }
    sum.into_dyn()
}

/// The kernel `[out, in, y, x]` of a layer that doubles its input by adding up shifts of its kernel, written as doubling by
/// nearest neighbour and a correlation: the two differ by the direction of both axes.
pub(super) fn unfused(kernel: ArrayView4<'_, f32>) -> Array4<f32> {
    reversed(kernel).as_standard_layout().into_owned()
}

/// A kernel with both image axes, which are the last ones, reversed.
pub(super) fn reversed(mut kernel: ArrayView4<'_, f32>) -> ArrayView4<'_, f32> {
    kernel.invert_axis(ndarray::Axis(2));
    kernel.invert_axis(ndarray::Axis(3));
    kernel
}

/// The features with the optional input of the block of 32×32, or of the last block of a smaller generator.
pub(super) fn add_optional_feature(
    graph: &mut GraphBuilder,
    features: &Value,
    channels: usize,
    height: usize,
    resolution: usize,
) -> Value {
    if height != CORRECTED_SIZE.min(resolution) {
        return features.clone();
    }
    corrected(graph, features, channels, height)
}

/// Makes a value the output `image`.
pub(super) fn image_output(graph: &mut GraphBuilder, image: &Value, resolution: usize) {
    let axes = [3, resolution, resolution].map(Axis::Fixed);
    let axes: Vec<_> = iter::once(Axis::batch()).chain(axes).collect();
    graph.output("image", image, &axes);
}

/// Checks that a generator has grown to the end: a level of detail above 0 mixes the outputs of two blocks.
pub(super) fn check_grown(weights: &Weights<'_>, lod: &str) -> Result<(), ImportError> {
    if !weights.has(lod) {
        return Ok(());
    }
    let found = weights.any(lod)?;
    match found.first() {
        Some(&level) if level != 0.0 => Err(weights.wrong_setting(
            "the level of detail (lod)",
            level.to_string(),
            "0: the generator has not grown to its last resolution",
        )),
        _ => Ok(()),
    }
}

/// A number of elements as f32.
pub(super) fn count(elements: usize) -> f32 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounding changes no result by more than f32 does"
    )]
    let count = elements as f32;
    count
}

#[cfg(test)]
mod tests {
    use ndarray::Array4;

    use super::{count, doubling_kernel};

    /// Doubling by nearest neighbour, then the correlation with padding 1, at one output pixel of one channel.
    fn plain(image: &[[f32; 3]; 3], kernel: &Array4<f32>, y: usize, x: usize) -> f32 {
        let mut sum = 0.0;
        for (i, j) in (0..9).map(|tap| (tap / 3, tap % 3)) {
            let (Some(row), Some(column)) = ((y + i).checked_sub(1), (x + j).checked_sub(1)) else {
                continue;
            };
            if row < 6 && column < 6 {
                sum += kernel[[0, 0, i, j]] * image[row / 2][column / 2];
            }
        }
        sum
    }

    #[test]
    fn the_kernel_of_the_transposed_convolution_equals_doubling_and_correlation() {
        let image = [[1.0, -2.0, 3.0], [0.5, 4.0, -1.0], [2.0, 7.0, -3.0]];
        let kernel = Array4::from_shape_fn((1, 1, 3, 3), |(.., y, x)| count(y * y + 3 * x) - 4.0);
        let doubling = doubling_kernel(&kernel);
        let mut transposed = [[0.0; 8]; 8];
        for (y, x) in (0..9).map(|pixel| (pixel / 3, pixel % 3)) {
            for (i, j) in (0..16).map(|tap| (tap / 4, tap % 4)) {
                transposed[2 * y + i][2 * x + j] += image[y][x] * doubling[[0, 0, i, j]];
            }
        }
        for (y, x) in (0..36).map(|pixel| (pixel / 6, pixel % 6)) {
            let (found, expected) = (transposed[y + 1][x + 1], plain(&image, &kernel, y, x));
            assert!((found - expected).abs() < 1e-4, "{y} {x}: {found} {expected}");
        }
    }
}
