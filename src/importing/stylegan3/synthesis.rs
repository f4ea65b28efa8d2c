//! The graph of the synthesis network: w codes → image.
//!
//! Styles multiply the input of a convolution instead of its kernel, and the demodulation multiplies its output, so that a batch
//! shares the kernel. The original also divides all styles by their root mean square, which the demodulation undoes.

use ndarray::{Array1, Array2, ArrayD, Axis as Dim};

use crate::graph::operators::{
    Convolution, add, clip, conv, matmul, mul, reciprocal, reshape, slice, sqrt, unsqueeze,
};
use crate::graph::{Axis, GraphBuilder, Model, Value, scalar};
use crate::importing::stylegan3::affine::Affine;
use crate::importing::stylegan3::filtering::filtered_leaky_relu;
use crate::importing::stylegan3::fourier;
use crate::importing::stylegan3::generator::{Layer, Synthesis, ToRgb};

/// What keeps the demodulation from dividing by zero.
const EPSILON: f32 = 1e-8;
/// The size of the feature map that takes a correction: the last one with the nearest size.
const CORRECTED_SIZE: usize = 32;

/// `w` `[batch, codes, w_dim]` → `image` `[batch, colours, size, size]`.
///
/// Optional inputs: `style_<i>` `[batch, channels]`, added to the style of layer i, with the conversion to colours as the last one;
/// `feature_<height>` `[batch, channels, height, width]`, added to a layer's output.
pub(super) fn build(synthesis: &Synthesis, w_dim: usize) -> Model {
    let mut graph = GraphBuilder::new("synthesis");
    let axes = [Axis::batch(), Axis::Fixed(synthesis.codes()), Axis::Fixed(w_dim)];
    let codes = graph.input("w", &axes);
    let mut network = SynthesisGraph { graph, codes, w_dim };
    let code = network.code(0);
    let mut features = fourier::build(&mut network.graph, &synthesis.input, &code);
    let corrected = corrected_layer(synthesis);
    for (index, layer) in synthesis.layers.iter().enumerate() {
        features = network.layer(&features, layer, index);
        if corrected == Some(index) {
            features = network.corrected(&features, layer);
        }
    }
    let to_rgb = &synthesis.to_rgb;
    let image = network.image(&features, to_rgb, synthesis.layers.len());
    let size = Axis::Fixed(to_rgb.size);
    let axes = [Axis::batch(), Axis::Fixed(to_rgb.bias.len()), size.clone(), size];
    network.graph.output("image", &image, &axes);
    network.graph.finish()
}

/// The layer that takes a correction. Very large layers take none.
fn corrected_layer(synthesis: &Synthesis) -> Option<usize> {
    let sizes = synthesis
        .layers
        .iter()
        .map(|layer| layer.resampling.output)
        .enumerate();
    sizes
        .rev()
        .min_by_key(|(_, size)| size.abs_diff(CORRECTED_SIZE))
        .filter(|&(_, size)| size <= 2 * CORRECTED_SIZE)
        .map(|(index, _)| index)
}

/// The graph under construction.
struct SynthesisGraph {
    graph: GraphBuilder,
    /// `[batch, codes, w_dim]`.
    codes: Value,
    w_dim: usize,
}

impl SynthesisGraph {
    /// A w code, `[batch, w_dim]`.
    fn code(&mut self, index: usize) -> Value {
        let code = slice(&mut self.graph, &self.codes, 1, signed(index), signed(index + 1));
        reshape(&mut self.graph, &code, &[-1, signed(self.w_dim)])
    }

    /// The style of a layer, `[batch, channels]`. The first w code is the input's.
    fn style(&mut self, index: usize, layer: &Affine) -> Value {
        let code = self.code(index + 1);
        let style = layer.build(&mut self.graph, &code);
        let channels = layer.bias.len();
        let axes = [Axis::batch(), Axis::Fixed(channels)];
        let zero = ArrayD::zeros(vec![1, channels]);
        let edit = self.graph.optional_input(&format!("style_{index}"), &axes, &zero);
        add(&mut self.graph, &style, &edit)
    }

    /// A modulated convolution, a bias and the filtered nonlinearity.
    fn layer(&mut self, input: &Value, layer: &Layer, index: usize) -> Value {
        let style = self.style(index, &layer.style);
        let demodulation = self.demodulation(&style, layer);
        let input = self.multiplied(input, &style);
        let (outputs, _, side, _) = layer.kernel.dim();
        let kernel = self.graph.constant(&layer.kernel.clone().into_dyn());
        // The padding is as wide as the kernel reaches, so that the features grow.
        let settings = Convolution::padded(signed(side - 1));
        let value = conv(&mut self.graph, &input, &kernel, None, settings);
        let value = self.multiplied(&value, &demodulation);
        let value = self.plus_bias(&value, &layer.bias);
        filtered_leaky_relu(&mut self.graph, &value, outputs, &layer.resampling, layer.clamp)
    }

    /// The factor of each channel of a layer's output, `[batch, out]`: gain / √(Σᵢ sᵢ² Σ k²ᵢ).
    fn demodulation(&mut self, style: &Value, layer: &Layer) -> Value {
        let gain = layer.gain * layer.gain;
        let squares = layer.kernel.mapv(|value| value * value);
        let squares: Array2<f32> = squares.sum_axis(Dim(3)).sum_axis(Dim(2)).reversed_axes() / gain;
        let squares = self.graph.constant(&squares.into_dyn());
        let epsilon = self.graph.constant(&scalar(EPSILON / gain));
        let style = mul(&mut self.graph, style, style);
        let variance = matmul(&mut self.graph, &style, &squares);
        let variance = add(&mut self.graph, &variance, &epsilon);
        let deviation = sqrt(&mut self.graph, &variance);
        reciprocal(&mut self.graph, &deviation)
    }

    /// A modulated convolution with a kernel of one pixel, and a bias.
    fn image(&mut self, input: &Value, layer: &ToRgb, index: usize) -> Value {
        let style = self.style(index, &layer.style);
        let input = self.multiplied(input, &style);
        let kernel = layer.kernel.clone().insert_axis(Dim(2)).insert_axis(Dim(3));
        let kernel = self.graph.constant(&kernel.into_dyn());
        let bias = self.graph.constant(&layer.bias.clone().into_dyn());
        let image = conv(
            &mut self.graph,
            &input,
            &kernel,
            Some(&bias),
            Convolution::padded(0),
        );
        match layer.clamp {
            Some(limit) => clip(&mut self.graph, &image, -limit, limit),
            None => image,
        }
    }

    /// The features with each channel multiplied by its factor in `[batch, channels]`.
    fn multiplied(&mut self, features: &Value, factors: &Value) -> Value {
        let factors = unsqueeze(&mut self.graph, factors, &[2, 3]);
        mul(&mut self.graph, features, &factors)
    }

    fn plus_bias(&mut self, value: &Value, bias: &Array1<f32>) -> Value {
        let bias = bias.clone().insert_axis(Dim(1)).insert_axis(Dim(2));
        let bias = self.graph.constant(&bias.into_dyn());
        add(&mut self.graph, value, &bias)
    }

    /// The features with the optional correction.
    fn corrected(&mut self, features: &Value, layer: &Layer) -> Value {
        let (channels, size) = (layer.bias.len(), layer.resampling.output);
        let axes = [
            Axis::batch(),
            Axis::Fixed(channels),
            Axis::Fixed(size),
            Axis::Fixed(size),
        ];
        let zero = ArrayD::zeros(vec![1, channels, size, size]);
        let correction = self
            .graph
            .optional_input(&format!("feature_{size}"), &axes, &zero);
        add(&mut self.graph, features, &correction)
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).expect("an axis is shorter than 2^63")
}
