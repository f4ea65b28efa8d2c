//! The backbone of the encoders: a residual network of 50 layers with squeeze-and-excitation blocks.

use crate::graph::operators::{average_pool, mul, reduce_mean, relu, sigmoid};
use crate::importing::image_layers::{Features, ImageLayers};
use crate::importing::{ImportError, Weights};

/// The number of blocks in each stage. The first block of each halves the size.
const STAGES: [usize; 4] = [3, 4, 14, 3];
/// Side of the image for each pixel of the last features.
const REDUCTION: usize = 1 << STAGES.len();
/// Most convolutions of a head, each of which halves the size.
const MOST_LEVELS: usize = 8;

/// Features at three sizes.
#[derive(Debug)]
pub(super) struct Taps {
    /// After the second stage.
    pub(super) fine: Features,
    /// After the third stage.
    pub(super) middle: Features,
    /// After the fourth stage.
    pub(super) coarse: Features,
    /// Height and width of `coarse`. Those of `middle` are twice, those of `fine` four times as much.
    pub(super) side: usize,
}

/// The side of the image, which only the heads show: the convolutions of the first one halve the last features until they
/// are one pixel.
pub(super) fn size(weights: Weights<'_>) -> Result<usize, ImportError> {
    // An activation follows each convolution, and has a number, too.
    let levels = (0..=MOST_LEVELS)
        .take_while(|level| weights.has_any(&format!("styles.0.convs.{}.", 2 * level)))
        .count();
    if (1..=MOST_LEVELS).contains(&levels) {
        return Ok(REDUCTION << levels);
    }
    let tensor = "styles.0.convs.0.weight";
    let found = weights.shape(tensor)?.to_vec();
    let expected = format!("at most {MOST_LEVELS} convolutions in the head, and found {levels}");
    Err(weights.unexpected(tensor, found, &expected))
}

/// The features of the input `image`, `[batch, 3, size, size]`.
pub(super) fn build(
    layers: &mut ImageLayers<'_>,
    weights: Weights<'_>,
    size: usize,
) -> Result<Taps, ImportError> {
    let mut features = layers.image(size);
    features = layers.normalized_conv(&features, "input_layer.0", 3, 1, "input_layer.1")?;
    features = layers.prelu(&features, "input_layer.2")?;
    let mut ends = Vec::new();
    let mut number = 0;
    for blocks in STAGES {
        for index in 0..blocks {
            let stride = if index == 0 { 2 } else { 1 };
            features = block(layers, weights, &features, &format!("body.{number}"), stride)?;
            number += 1;
        }
        ends.push(features.clone());
    }
    let [_, fine, middle, coarse] = <[Features; 4]>::try_from(ends).expect("four stages");
    Ok(Taps {
        fine,
        middle,
        coarse,
        side: size / REDUCTION,
    })
}

/// Batch normalization, convolution, PReLU, convolution, squeeze-and-excitation, and the path around them.
fn block(
    layers: &mut ImageLayers<'_>,
    weights: Weights<'_>,
    input: &Features,
    name: &str,
    stride: i64,
) -> Result<Features, ImportError> {
    let part = |index: usize| format!("{name}.res_layer.{index}");
    let mut residual = layers.norm(input, &part(0))?;
    residual = layers.plain_conv(&residual, &part(1), 3)?;
    residual = layers.prelu(&residual, &part(2))?;
    residual = layers.normalized_conv(&residual, &part(3), 3, stride, &part(4))?;
    residual = squeeze_and_excitation(layers, &residual, &part(5))?;
    let shortcut = if weights.has_any(&format!("{name}.shortcut_layer.")) {
        let (conv, norm) = (
            format!("{name}.shortcut_layer.0"),
            format!("{name}.shortcut_layer.1"),
        );
        layers.normalized_conv(input, &conv, 1, stride, &norm)?
    } else {
        subsampled(layers, input, stride)
    };
    layers.sum(&shortcut, &residual, &format!("{}.weight", part(3)))
}

/// Each channel times a factor that depends on the means of all channels.
fn squeeze_and_excitation(
    layers: &mut ImageLayers<'_>,
    input: &Features,
    name: &str,
) -> Result<Features, ImportError> {
    let mean = Features {
        value: reduce_mean(&mut layers.graph, &input.value, &[2, 3]),
        channels: input.channels,
    };
    let mut factors = layers.plain_conv(&mean, &format!("{name}.fc1"), 1)?;
    factors.value = relu(&mut layers.graph, &factors.value);
    factors = layers.plain_conv(&factors, &format!("{name}.fc2"), 1)?;
    factors.value = sigmoid(&mut layers.graph, &factors.value);
    let last = format!("{name}.fc2.weight");
    layers.expect_channels(&factors, input.channels, &last)?;
    Ok(Features {
        value: mul(&mut layers.graph, &input.value, &factors.value),
        channels: input.channels,
    })
}

/// Every `stride`-th pixel of every `stride`-th row.
fn subsampled(layers: &mut ImageLayers<'_>, input: &Features, stride: i64) -> Features {
    if stride == 1 {
        return input.clone();
    }
    Features {
        value: average_pool(&mut layers.graph, &input.value, 1, stride),
        channels: input.channels,
    }
}
