//! The weights of a StyleGAN3 generator. All scales are folded in.
//!
//! Sizes and factors follow from the names and shapes of the tensors, so that a flat file without settings is enough.

use ndarray::{Array1, Array2, Array4, Axis, Ix1, Ix4};

use crate::checkpoint::{Network, Object};
use crate::importing::stylegan3::affine::Affine;
use crate::importing::stylegan3::geometry::Geometry;
use crate::importing::stylegan3::phases::{DownFilter, Resampling};
use crate::importing::{ImportError, Weights};

/// The taps of a filter for each unit of its factor, if the settings do not say another number.
const FILTER_SIZE: usize = 6;
/// The highest factor of a filter.
const HIGHEST_FACTOR: usize = 16;
/// The clamp of all layers, if the settings do not say another.
const CLAMP: f32 = 256.0;
/// The factor of the image, if the settings do not say another.
const OUTPUT_SCALE: f32 = 0.25;
/// The bandwidth of the input, if the settings do not say another.
const FIRST_CUTOFF: f32 = 2.0;

/// The synthesis network.
#[derive(Debug)]
pub(super) struct Synthesis {
    /// The input of the first layer.
    pub(super) input: FourierInput,
    /// The layers with a filtered nonlinearity.
    pub(super) layers: Vec<Layer>,
    /// The last layer.
    pub(super) to_rgb: ToRgb,
}

/// Fourier features with a translation and a rotation that depend on w.
#[derive(Debug)]
pub(super) struct FourierInput {
    /// w → cosine, sine and translation, before their normalization.
    pub(super) transformation: Affine,
    /// The transformation that follows it, `[3, 3]`.
    pub(super) user: Array2<f32>,
    /// The frequency of each channel in x and y, `[channels, 2]`.
    pub(super) frequencies: Array2<f32>,
    /// The phase of each channel, in turns.
    pub(super) phases: Array1<f32>,
    /// The mix of the channels, `[out, in]`.
    pub(super) mix: Array2<f32>,
    /// Height and width.
    pub(super) size: usize,
    /// Pixels for each unit of the coordinates.
    pub(super) sampling_rate: f32,
    /// The frequency from which on amplitudes decrease.
    pub(super) bandwidth: f32,
}

/// A modulated convolution and a filtered nonlinearity.
#[derive(Debug)]
pub(super) struct Layer {
    /// `[out, in, height, width]`, with a root mean square of 1 for each output.
    pub(super) kernel: Array4<f32>,
    /// w → a factor for each channel of the input.
    pub(super) style: Affine,
    /// `[out]`.
    pub(super) bias: Array1<f32>,
    /// The factor of the convolution's output, beside the demodulation.
    pub(super) gain: f32,
    /// The filters around the nonlinearity.
    pub(super) resampling: Resampling,
    /// The limit of the nonlinearity's output.
    pub(super) clamp: Option<f32>,
}

/// A modulated convolution from features to colours, without demodulation.
#[derive(Debug)]
pub(super) struct ToRgb {
    /// `[colours, in]`.
    pub(super) kernel: Array2<f32>,
    /// w → a factor for each channel of the input.
    pub(super) style: Affine,
    /// `[colours]`.
    pub(super) bias: Array1<f32>,
    /// The limit of the output's magnitude.
    pub(super) clamp: Option<f32>,
    /// Height and width of the image.
    pub(super) size: usize,
}

impl Synthesis {
    /// The name of the configuration, as the paper calls it: R has kernels of one pixel, so that it commutes with rotations.
    pub(super) fn config(&self) -> &'static str {
        let is_pointwise = self.layers.iter().all(|layer| layer.kernel.dim().3 == 1);
        if is_pointwise { "R" } else { "T" }
    }

    /// Height and width of the image.
    pub(super) fn resolution(&self) -> usize {
        self.to_rgb.size
    }

    /// The number of w codes: one for the input, and one for each layer.
    pub(super) fn codes(&self) -> usize {
        self.layers.len() + 2
    }
}

/// Reads the synthesis network.
pub(super) fn read(network: &Network, weights: Weights<'_>, w_dim: usize) -> Result<Synthesis, ImportError> {
    let geometry = Geometry::read(weights)?;
    let reader = Reader {
        weights,
        w_dim,
        filter_size: network
            .settings
            .get("filter_size")
            .and_then(Object::integer)
            .and_then(|size| usize::try_from(size).ok())
            .filter(|&size| size > 0)
            .unwrap_or(FILTER_SIZE),
        clamp: match network.settings.get("conv_clamp") {
            None => Some(CLAMP),
            Some(limit) => number(limit),
        },
    };
    let setting = |name: &str, default: f32| network.settings.get(name).and_then(number).unwrap_or(default);
    let input = reader.input(&geometry, setting("first_cutoff", FIRST_CUTOFF))?;
    let mut channels = input.mix.nrows();
    let last = geometry.layers.len() - 1;
    let mut layers = Vec::new();
    for index in 0..last {
        let layer = reader.layer(&geometry, index, channels)?;
        channels = layer.bias.len();
        layers.push(layer);
    }
    Ok(Synthesis {
        input,
        layers,
        to_rgb: reader.to_rgb(&geometry, channels, setting("output_scale", OUTPUT_SCALE))?,
    })
}

/// A number in the settings.
#[allow(clippy::cast_possible_truncation, reason = "settings are small numbers")]
fn number(setting: &Object) -> Option<f32> {
    setting.number().map(|number| number as f32)
}

/// Reads the parts of the network.
struct Reader<'a> {
    weights: Weights<'a>,
    w_dim: usize,
    filter_size: usize,
    clamp: Option<f32>,
}

impl Reader<'_> {
    fn input(&self, geometry: &Geometry, bandwidth: f32) -> Result<FourierInput, ImportError> {
        let weights = self.weights.within("synthesis.input.");
        let phases = weights.array::<Ix1>("phases")?;
        let channels = phases.len();
        let mix = weights.shaped("weight", [channels, channels])?;
        Ok(FourierInput {
            transformation: self.affine("synthesis.input", 4)?,
            user: weights.shaped("transform", [3, 3])?,
            frequencies: weights.shaped("freqs", [channels, 2])?,
            phases,
            mix: mix * fan_in_scale(channels),
            size: geometry.input_size(0),
            sampling_rate: float(geometry.input_sampling_rate()),
            bandwidth,
        })
    }

    fn layer(&self, geometry: &Geometry, index: usize, channels: usize) -> Result<Layer, ImportError> {
        let layer = &geometry.layers[index];
        let name = layer.module.as_str();
        let kernel = self.kernel(name, channels)?;
        let (outputs, _, side, _) = kernel.dim();
        let up = self.weights.array::<Ix1>(&format!("{name}.up_filter"))?;
        let up_factor = self.factor(&format!("{name}.up_filter"), up.shape())?;
        let down = self.weights.any(&format!("{name}.down_filter"))?;
        let down_factor = self.factor(&format!("{name}.down_filter"), down.shape())?;
        if !up_factor.is_multiple_of(down_factor) {
            let found = down.shape().to_vec();
            let expected = "a filter that divides the length of the up_filter";
            return Err(self
                .weights
                .unexpected(&format!("{name}.down_filter"), found, expected));
        }
        Ok(Layer {
            kernel: normalized(kernel),
            style: self.affine(name, channels)?,
            bias: self.weights.shaped(&format!("{name}.bias"), [outputs])?,
            gain: 1.0 / self.weights.scalar(&format!("{name}.magnitude_ema"))?.sqrt(),
            resampling: Resampling {
                input: geometry.input_size(index) + side - 1,
                output: layer.size,
                up: up.to_vec(),
                up_factor,
                down: match down.ndim() {
                    1 => DownFilter::Separable(down.into_iter().collect()),
                    _ => DownFilter::Full(down.into_dimensionality().expect("a filter has one axis or two")),
                },
                down_factor,
            },
            clamp: self.clamp,
        })
    }

    fn to_rgb(&self, geometry: &Geometry, channels: usize, scale: f32) -> Result<ToRgb, ImportError> {
        let layer = &geometry.layers[geometry.layers.len() - 1];
        let name = layer.module.as_str();
        let kernel = self.kernel(name, channels)?;
        let (colours, _, side, _) = kernel.dim();
        if side != 1 {
            let expected = format!("[{colours}, {channels}, 1, 1]");
            let found = kernel.shape().to_vec();
            return Err(self
                .weights
                .unexpected(&format!("{name}.weight"), found, &expected));
        }
        let kernel = kernel.remove_axis(Axis(3)).remove_axis(Axis(2));
        let gain = 1.0 / self.weights.scalar(&format!("{name}.magnitude_ema"))?.sqrt();
        let bias = self.weights.shaped(&format!("{name}.bias"), [colours])?;
        Ok(ToRgb {
            kernel: kernel * (gain * fan_in_scale(channels) * scale),
            style: self.affine(name, channels)?,
            bias: bias * scale,
            clamp: self.clamp.map(|limit| limit * scale),
            size: layer.size,
        })
    }

    /// The kernel of a layer: square, with an odd side.
    fn kernel(&self, name: &str, channels: usize) -> Result<Array4<f32>, ImportError> {
        let tensor = format!("{name}.weight");
        let kernel = self.weights.array::<Ix4>(&tensor)?;
        let (outputs, inputs, height, width) = kernel.dim();
        if outputs == 0 || inputs != channels || height != width || height.is_multiple_of(2) {
            let expected = format!("[outputs, {channels}, side, side], with an odd side");
            return Err(self
                .weights
                .unexpected(&tensor, kernel.shape().to_vec(), &expected));
        }
        Ok(kernel)
    }

    fn affine(&self, name: &str, outputs: usize) -> Result<Affine, ImportError> {
        let weight = self
            .weights
            .shaped(&format!("{name}.affine.weight"), [outputs, self.w_dim])?;
        Ok(Affine {
            weight: weight.reversed_axes() * fan_in_scale(self.w_dim),
            bias: self.weights.shaped(&format!("{name}.affine.bias"), [outputs])?,
        })
    }

    /// The factor of a filter of this shape.
    fn factor(&self, tensor: &str, shape: &[usize]) -> Result<usize, ImportError> {
        let taps = shape.first().copied().unwrap_or_default();
        let factor = taps / self.filter_size;
        let fits = shape.iter().all(|&side| side == taps)
            && matches!(shape.len(), 1 | 2)
            && taps == factor * self.filter_size
            && (1..=HIGHEST_FACTOR).contains(&factor);
        if fits {
            return Ok(factor);
        }
        let expected = format!(
            "a multiple of {} taps, of at most {HIGHEST_FACTOR}",
            self.filter_size
        );
        Err(self.weights.unexpected(tensor, shape.to_vec(), &expected))
    }
}

/// The kernel of each output, divided by the root of the mean of its squares.
fn normalized(mut kernel: Array4<f32>) -> Array4<f32> {
    for mut output in kernel.outer_iter_mut() {
        let squares = output.iter().map(|value| value * value).sum::<f32>();
        let scale = (float(output.len()) / squares).sqrt();
        output *= scale;
    }
    kernel
}

fn fan_in_scale(inputs: usize) -> f32 {
    1.0 / float(inputs).sqrt()
}

#[allow(clippy::cast_precision_loss, reason = "sizes are below 2^24")]
fn float(size: usize) -> f32 {
    size as f32
}
