//! The heads of the encoders: features at three sizes → one code for each layer.

use ndarray::Array2;

use crate::graph::operators::{add, concat, leaky_relu, matmul, reshape};
use crate::graph::{GraphBuilder, Value};
use crate::importing::encoder::backbone::Taps;
use crate::importing::image_layers::{Features, ImageLayers};
use crate::importing::{ImportError, Weights};

/// The number of heads that read the coarse features.
const COARSE: usize = 3;
/// The number of heads that read the coarse or the middle features. The others read the fine ones.
const COARSE_OR_MIDDLE: usize = 7;
/// Most heads: those of an image of 2^32 pixels on a side.
const MOST_HEADS: usize = 62;
/// The slope of the activation.
const SLOPE: f32 = 0.01;

/// How the heads make codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codes {
    /// The first head makes the code of every layer, and each other head adds to the code of its layer: e4e.
    BaseAndOffsets,
    /// Each head makes the code of its layer: pSp.
    OneHeadEach,
}

/// The codes `[batch, layers, w_dim]` of an image, and their shape without the batch.
pub(super) fn build(
    layers: &mut ImageLayers<'_>,
    weights: Weights<'_>,
    taps: &Taps,
    codes: Codes,
) -> Result<(Value, [usize; 2]), ImportError> {
    let coarse = &taps.coarse;
    let middle = merged(layers, coarse, &taps.middle, taps.side, "latlayer1")?;
    let fine = merged(layers, &middle, &taps.fine, 2 * taps.side, "latlayer2")?;
    let count = (0..MOST_HEADS)
        .take_while(|index| weights.has_any(&format!("styles.{index}.")))
        .count();
    let w_dim = weights
        .shape("styles.0.linear.bias")?
        .first()
        .copied()
        .unwrap_or_default();
    let mut outputs = Vec::new();
    for index in 0..count {
        let (features, side) = match index {
            0..COARSE => (coarse, taps.side),
            COARSE..COARSE_OR_MIDDLE => (&middle, 2 * taps.side),
            _ => (&fine, 4 * taps.side),
        };
        let name = format!("styles.{index}");
        outputs.push(head(layers, features, side, &name, w_dim)?);
    }
    if codes == Codes::BaseAndOffsets {
        let (base, offsets) = outputs.split_at_mut(1);
        for offset in offsets {
            *offset = add(&mut layers.graph, &base[0], offset);
        }
    }
    let outputs: Vec<_> = outputs.iter().collect();
    let codes = concat(&mut layers.graph, &outputs, 1);
    Ok((codes, [count, w_dim]))
}

/// The features of a size, plus those of half the size, enlarged.
fn merged(
    layers: &mut ImageLayers<'_>,
    small: &Features,
    large: &Features,
    side: usize,
    name: &str,
) -> Result<Features, ImportError> {
    let lateral = layers.biased_conv(large, name, 1, 1)?;
    let enlarged = Features {
        value: enlarged(&mut layers.graph, &small.value, side),
        channels: small.channels,
    };
    layers.sum(&enlarged, &lateral, &format!("{name}.weight"))
}

/// The features at twice the size, by linear interpolation with the corners aligned.
fn enlarged(graph: &mut GraphBuilder, value: &Value, side: usize) -> Value {
    let rows = interpolation(side);
    let columns = graph.constant(&rows.t());
    let rows = graph.constant(&rows);
    let wide = matmul(graph, value, &columns);
    matmul(graph, &rows, &wide)
}

/// The matrix `[2 · side, side]` of linear interpolation between the first and the last of `side` values.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "features have fewer than 2^24 pixels on a side"
)]
fn interpolation(side: usize) -> Array2<f32> {
    let step = (side - 1) as f32 / (2 * side - 1) as f32;
    let mut matrix = Array2::zeros((2 * side, side));
    for row in 0..2 * side {
        let position = row as f32 * step;
        let before = (position as usize).min(side - 1);
        let share = position - before as f32;
        matrix[(row, before)] += 1.0 - share;
        if before + 1 < side {
            matrix[(row, before + 1)] += share;
        }
    }
    matrix
}

/// Halves the features of `side` × `side` pixels until they are one pixel, then a dense layer: `[batch, 1, w_dim]`.
fn head(
    layers: &mut ImageLayers<'_>,
    features: &Features,
    side: usize,
    name: &str,
    w_dim: usize,
) -> Result<Value, ImportError> {
    let mut features = features.clone();
    for level in 0..side.ilog2() {
        features = layers.biased_conv(&features, &format!("{name}.convs.{}", 2 * level), 3, 2)?;
        features.value = leaky_relu(&mut layers.graph, &features.value, SLOPE);
    }
    let (weight, bias) = layers.dense(&format!("{name}.linear"), [w_dim, features.channels])?;
    #[allow(clippy::cast_precision_loss, reason = "a layer has fewer than 2^24 inputs")]
    let scale = 1.0 / (features.channels as f32).sqrt();
    let graph = &mut layers.graph;
    let weight = graph.constant(&(weight.reversed_axes() * scale));
    let bias = graph.constant(&bias);
    let flat = reshape(graph, &features.value, &[0, 1, -1]);
    let product = matmul(graph, &flat, &weight);
    Ok(add(graph, &product, &bias))
}
