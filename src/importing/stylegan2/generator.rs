//! The weights of a StyleGAN2 generator, whichever program trained it. All scales are folded in.

use std::f32::consts::SQRT_2;

use ndarray::{Array1, Array2, Array3, Array4};

use crate::importing::{ImportError, Weights};

/// The name of the architecture in errors.
pub(super) const ARCHITECTURE: &str = "StyleGAN2";

/// The slope of the leaky ReLU layers for negative values.
pub(super) const SLOPE: f32 = 0.2;

/// The learning rate of a mapping layer: its stored weights are multiplied by it.
const MAPPING_LEARNING_RATE: f32 = 0.01;

/// The base-2 logarithm of the largest resolution that is read.
pub(super) const LARGEST_LEVEL: usize = 14;

/// The filter of the upsampling in one direction. In two directions its sum is 4, because three of four pixels are inserted
/// zeros.
pub(super) const FILTER: [f32; 4] = [0.25, 0.75, 0.75, 0.25];

/// A StyleGAN2 generator.
#[derive(Debug)]
pub(super) struct Stylegan2 {
    /// z → w.
    pub(super) mapping: Mapping,
    /// w codes → image.
    pub(super) synthesis: Synthesis,
    /// The average w code, if the file has it.
    pub(super) w_avg: Option<Array1<f32>>,
    /// The default truncation of the original program: psi, and the number of layers if not all are truncated.
    pub(super) truncation: (f64, Option<usize>),
}

/// The mapping network. Its input is z, normalized, or z and an embedded label.
#[derive(Debug)]
pub(super) struct Mapping {
    /// What a class-conditional generator does with a label.
    pub(super) label: Option<Label>,
    /// The layers, each followed by a leaky ReLU. The gain of the activation is folded in.
    pub(super) layers: Vec<Dense>,
}

/// How a label enters the mapping network.
#[derive(Debug)]
pub(super) struct Label {
    /// Label → vector, which follows z in the input of the first layer.
    pub(super) embedding: Dense,
    /// Whether z and the vector are normalized separately, and not together.
    pub(super) normalized_separately: bool,
}

/// A dense layer: weight · input + bias.
#[derive(Debug)]
pub(super) struct Dense {
    /// `[out, in]`.
    pub(super) weight: Array2<f32>,
    /// `[out]`.
    pub(super) bias: Array1<f32>,
}

/// The synthesis network.
#[derive(Debug)]
pub(super) struct Synthesis {
    /// The input of the first layer, `[channels, height, width]`.
    pub(super) constant: Array3<f32>,
    /// One block for each resolution.
    pub(super) blocks: Vec<Block>,
}

/// The layers of one resolution.
#[derive(Debug)]
pub(super) struct Block {
    /// The layer that doubles the resolution. The first block has none.
    pub(super) up: Option<Layer>,
    /// The layer that keeps the resolution.
    pub(super) plain: Layer,
    /// The kernel `[out, in, 1, 1]` of the path around both layers, in the resnet architecture.
    pub(super) skip: Option<Array4<f32>>,
    /// The layer that makes the image, or adds to it.
    pub(super) to_rgb: Option<ToRgb>,
}

/// A modulated convolution, then noise, bias and leaky ReLU.
#[derive(Debug)]
pub(super) struct Layer {
    /// `[out, in, 3, 3]`. In a layer that doubles the resolution, each pixel of the input adds its multiple of the kernel to
    /// the output.
    pub(super) kernel: Array4<f32>,
    /// w → a factor for each channel of the input.
    pub(super) style: Dense,
    /// The noise of each pixel, `[height, width]`.
    pub(super) noise: Array2<f32>,
    /// `[out]`.
    pub(super) bias: Array1<f32>,
    /// The factor after the activation.
    pub(super) gain: f32,
    /// The limit of the output's magnitude.
    pub(super) clamp: Option<f32>,
}

/// A modulated convolution from features to colours, without demodulation.
#[derive(Debug)]
pub(super) struct ToRgb {
    /// `[colours, in]`.
    pub(super) kernel: Array2<f32>,
    /// w → a factor for each channel of the input.
    pub(super) style: Dense,
    /// `[colours]`.
    pub(super) bias: Array1<f32>,
    /// The limit of the output's magnitude.
    pub(super) clamp: Option<f32>,
}

impl Mapping {
    /// Length of z.
    pub(super) fn z_dim(&self) -> usize {
        let embedded = self.label.as_ref().map_or(0, |label| label.embedding.bias.len());
        self.layers[0].weight.ncols().saturating_sub(embedded)
    }

    /// Length of w.
    pub(super) fn w_dim(&self) -> usize {
        self.layers[self.layers.len() - 1].bias.len()
    }

    /// The number of classes.
    pub(super) fn classes(&self) -> usize {
        self.label
            .as_ref()
            .map_or(0, |label| label.embedding.weight.ncols())
    }
}

impl Dense {
    /// A layer of the mapping network, from its stored tensors. The gain of its activation, √2, is folded in: a leaky ReLU
    /// keeps positive factors.
    pub(super) fn mapping(weight: Array2<f32>, bias: Array1<f32>) -> Self {
        let gain = SQRT_2 * MAPPING_LEARNING_RATE;
        let layer = Self::scaled(weight, bias);
        Self {
            weight: layer.weight * gain,
            bias: layer.bias * gain,
        }
    }

    /// A layer with a stored weight that has to be divided by the root of the number of inputs.
    pub(super) fn scaled(weight: Array2<f32>, bias: Array1<f32>) -> Self {
        let scale = fan_in_scale(weight.ncols());
        Self {
            weight: weight * scale,
            bias,
        }
    }
}

/// The layers of the mapping network, whose names are `prefix` with a number from `first` on.
///
/// # Errors
/// [`ImportError`] if there is no layer, or a tensor is missing or has another shape.
pub(super) fn mapping_layers(
    weights: Weights<'_>,
    prefix: &str,
    first: usize,
) -> Result<Vec<Dense>, ImportError> {
    (first..)
        .map(|index| (index, format!("{prefix}{index}")))
        .take_while(|(index, name)| *index == first || weights.has_any(&format!("{name}.")))
        .map(|(_, name)| {
            let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
            Ok(Dense::mapping(weights.array(&weight)?, weights.array(&bias)?))
        })
        .collect()
}

impl Synthesis {
    /// Height and width of the image.
    pub(super) fn resolution(&self) -> usize {
        self.constant.len_of(ndarray::Axis(1)) << (self.blocks.len() - 1)
    }

    /// The number of w codes: one for each layer, and one for the last conversion to colours. Those before it share the code
    /// of the layer that follows.
    pub(super) fn codes(&self) -> usize {
        2 * self.blocks.len()
    }

    /// The name of the architecture, as the paper calls it.
    pub(super) fn architecture(&self) -> &'static str {
        if self.blocks.iter().any(|block| block.skip.is_some()) {
            "resnet"
        } else if self.blocks.iter().all(|block| block.to_rgb.is_some()) {
            "skip"
        } else {
            "orig"
        }
    }
}

impl Layer {
    /// A layer from its stored tensors.
    pub(super) fn new(
        kernel: Array4<f32>,
        style: Dense,
        noise: Array2<f32>,
        noise_strength: f32,
        bias: Array1<f32>,
    ) -> Self {
        Self {
            kernel: scaled_kernel(kernel),
            style,
            noise: noise * noise_strength,
            bias,
            gain: SQRT_2,
            clamp: None,
        }
    }
}

impl ToRgb {
    /// A layer from its stored tensors. The kernel is `[colours, in, 1, 1]`.
    pub(super) fn new(kernel: Array4<f32>, style: Dense, bias: Array1<f32>) -> Self {
        let kernel = scaled_kernel(kernel);
        let shape = kernel.dim();
        Self {
            kernel: kernel
                .into_shape_clone((shape.0, shape.1 * shape.2 * shape.3))
                .expect("the number of elements is the same"),
            style,
            bias,
            clamp: None,
        }
    }
}

/// A stored kernel, divided by the root of the number of inputs.
pub(super) fn scaled_kernel(kernel: Array4<f32>) -> Array4<f32> {
    let (_, channels, height, width) = kernel.dim();
    let scale = fan_in_scale(channels * height * width);
    kernel * scale
}

#[allow(clippy::cast_precision_loss, reason = "a layer has fewer than 2^24 inputs")]
fn fan_in_scale(inputs: usize) -> f32 {
    1.0 / (inputs as f32).sqrt()
}
