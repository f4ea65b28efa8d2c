//! The graph of the synthesis network: w codes → image.
//!
//! Styles multiply the input of a convolution instead of its kernel, and the demodulation multiplies its output, so that a batch
//! shares the kernel. The original also divides all styles by their root mean square, which the demodulation undoes.

use ndarray::Axis as Dim;

use crate::graph::operators::{Convolution, clip, conv};
use crate::graph::{Axis, GraphBuilder, Model, Value, signed};
use crate::importing::feature_maps::{self, CORRECTED_SIZE, add_bias};
use crate::importing::stylegan3::affine::Affine;
use crate::importing::stylegan3::filtering::filtered_leaky_relu;
use crate::importing::stylegan3::fourier;
use crate::importing::stylegan3::generator::{Layer, Synthesis, ToRgb};
use crate::importing::styles::{self, demodulation, multiplied};

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
            let (channels, size) = (layer.bias.len(), layer.resampling.output);
            features = feature_maps::corrected(&mut network.graph, &features, channels, size);
        }
    }
    let to_rgb = &synthesis.to_rgb;
    let image = network.image(&features, to_rgb, synthesis.layers.len());
    let size = Axis::Fixed(to_rgb.size);
    let axes = [Axis::batch(), Axis::Fixed(to_rgb.bias.len()), size.clone(), size];
    network.graph.output("image", &image, &axes);
    network.graph.finish()
}

/// The layer that takes a correction: the last one with the nearest size. Very large layers take none.
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
        styles::code(&mut self.graph, &self.codes, index, self.w_dim)
    }

    /// The style of a layer, `[batch, channels]`. The first w code is the input's.
    fn style(&mut self, index: usize, layer: &Affine) -> Value {
        let code = self.code(index + 1);
        let style = layer.build(&mut self.graph, &code);
        styles::edited(&mut self.graph, &style, index, layer.bias.len())
    }

    /// A modulated convolution, a bias and the filtered nonlinearity.
    fn layer(&mut self, input: &Value, layer: &Layer, index: usize) -> Value {
        let style = self.style(index, &layer.style);
        let demodulation = demodulation(&mut self.graph, &style, &layer.kernel, layer.gain);
        let input = multiplied(&mut self.graph, input, &style);
        let (outputs, _, side, _) = layer.kernel.dim();
        let kernel = self.graph.constant(&layer.kernel);
        // The padding is as wide as the kernel reaches, so that the features grow.
        let settings = Convolution::padded(signed(side - 1));
        let value = conv(&mut self.graph, &input, &kernel, None, settings);
        let value = multiplied(&mut self.graph, &value, &demodulation);
        let value = add_bias(&mut self.graph, &value, &layer.bias);
        filtered_leaky_relu(&mut self.graph, &value, outputs, &layer.resampling, layer.clamp)
    }

    /// A modulated convolution with a kernel of one pixel, and a bias.
    fn image(&mut self, input: &Value, layer: &ToRgb, index: usize) -> Value {
        let style = self.style(index, &layer.style);
        let input = multiplied(&mut self.graph, input, &style);
        let kernel = layer.kernel.clone().insert_axis(Dim(2)).insert_axis(Dim(3));
        let kernel = self.graph.constant(&kernel);
        let bias = self.graph.constant(&layer.bias);
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
}
