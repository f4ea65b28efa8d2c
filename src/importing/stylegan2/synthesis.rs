//! The graph of the synthesis network: w codes → image.
//!
//! Styles multiply the input of a convolution instead of its kernel, so that a batch shares the kernel. The kernel is
//! demodulated at the output for the same reason: σ(s)² = Σᵢ sᵢ² Σ k²ᵢ, a product of the squared styles with a constant matrix.

use ndarray::{Array4, Axis as Dim};

use crate::graph::operators::{
    Convolution, add, clip, conv, conv_transpose, leaky_relu, matmul, mul, reshape, unsqueeze,
};
use crate::graph::{Axis, GraphBuilder, Model, Value, signed};
use crate::importing::feature_maps::{self, CORRECTED_SIZE, add_bias};
use crate::importing::stylegan2::generator::{Block, Dense, FILTER, Layer, SLOPE, Synthesis, ToRgb};
use crate::importing::stylegan2::mapping::dense;
use crate::importing::styles::{self, demodulation, multiplied};

/// `w` `[batch, codes, w_dim]` → `image` `[batch, colours, height, width]`.
///
/// Optional inputs: `style_<i>` `[batch, channels]`, added to the style of layer i, in the order of computation with
/// conversions to colours counted; `feature_<height>` `[batch, channels, height, width]`, added to a block's feature map.
pub(super) fn build(synthesis: &Synthesis, w_dim: usize) -> Model {
    let mut graph = GraphBuilder::new("synthesis");
    let codes = graph.input(
        "w",
        &[Axis::batch(), Axis::Fixed(synthesis.codes()), Axis::Fixed(w_dim)],
    );
    let mut network = SynthesisGraph {
        graph,
        codes,
        w_dim,
        styles: 0,
    };
    let mut size = synthesis.constant.len_of(Dim(1));
    let corrected = CORRECTED_SIZE.min(synthesis.resolution()).max(size);
    let constant = synthesis.constant.clone().insert_axis(Dim(0)).into_dyn();
    let mut features = network.graph.constant(&constant);
    let (mut image, mut colours) = (None, 0);
    let mut code = 0;
    for block in &synthesis.blocks {
        if block.up.is_some() {
            size *= 2;
        }
        features = network.block(&features, block, &mut code);
        if size == corrected {
            features = feature_maps::corrected(&mut network.graph, &features, block.plain.bias.len(), size);
        }
        if let Some(to_rgb) = &block.to_rgb {
            image = Some(network.image(image.as_ref(), &features, to_rgb, code, size));
            colours = to_rgb.bias.len();
        }
    }
    let image = image.expect("the last block makes the image");
    let mut graph = network.graph;
    graph.output(
        "image",
        &image,
        &[
            Axis::batch(),
            Axis::Fixed(colours),
            Axis::Fixed(size),
            Axis::Fixed(size),
        ],
    );
    graph.finish()
}

/// The graph under construction.
struct SynthesisGraph {
    graph: GraphBuilder,
    /// `[batch, codes, w_dim]`.
    codes: Value,
    w_dim: usize,
    /// The number of styles so far.
    styles: usize,
}

impl SynthesisGraph {
    /// The features after a block. `code` is the next w code.
    fn block(&mut self, input: &Value, block: &Block, code: &mut usize) -> Value {
        let mut features = input.clone();
        if let Some(up) = &block.up {
            features = self.layer(&features, up, *code, true);
            *code += 1;
        }
        features = self.layer(&features, &block.plain, *code, false);
        *code += 1;
        if let Some(kernel) = &block.skip {
            let kernel = self.graph.constant(kernel);
            let around = conv(&mut self.graph, input, &kernel, None, Convolution::padded(0));
            let around = self.upsampled(&around, block.plain.bias.len());
            features = add(&mut self.graph, &features, &around);
        }
        features
    }

    /// A modulated convolution, noise, bias and leaky ReLU. The gain of the activation is applied before it, to each term: a
    /// leaky ReLU keeps positive factors.
    fn layer(&mut self, input: &Value, layer: &Layer, code: usize, up: bool) -> Value {
        let outputs = layer.bias.len();
        let style = self.style(code, &layer.style);
        let demodulation = demodulation(&mut self.graph, &style, &layer.kernel, layer.gain);
        let input = multiplied(&mut self.graph, input, &style);
        let bias = &layer.bias * layer.gain;
        let mut value = if up {
            let kernel = layer.kernel.clone().permuted_axes([1, 0, 2, 3]);
            let kernel = self.graph.constant(&kernel);
            let settings = Convolution::padded(0).strided(2);
            let value = conv_transpose(&mut self.graph, &input, &kernel, None, settings);
            let value = multiplied(&mut self.graph, &value, &demodulation);
            let filter = self.filter(outputs);
            let bias = self.graph.constant(&bias);
            let settings = Convolution::padded(1).grouped(signed(outputs));
            conv(&mut self.graph, &value, &filter, Some(&bias), settings)
        } else {
            let kernel = self.graph.constant(&layer.kernel);
            let value = conv(&mut self.graph, &input, &kernel, None, Convolution::padded(1));
            let value = multiplied(&mut self.graph, &value, &demodulation);
            add_bias(&mut self.graph, &value, &bias)
        };
        if layer.noise.iter().any(|&noise| noise != 0.0) {
            let noise = &layer.noise * layer.gain;
            let noise = self
                .graph
                .constant(&noise.insert_axis(Dim(0)).insert_axis(Dim(0)));
            value = add(&mut self.graph, &value, &noise);
        }
        value = leaky_relu(&mut self.graph, &value, SLOPE);
        self.clamped(value, layer.clamp)
    }

    /// The style of the next layer, `[batch, channels]`, from its w code.
    fn style(&mut self, code: usize, layer: &Dense) -> Value {
        let code = styles::code(&mut self.graph, &self.codes, code, self.w_dim);
        let style = dense(&mut self.graph, &code, layer);
        let style = styles::edited(&mut self.graph, &style, self.styles, layer.bias.len());
        self.styles += 1;
        style
    }

    /// The image so far, upsampled, with what a layer adds to it.
    fn image(
        &mut self,
        image: Option<&Value>,
        features: &Value,
        layer: &ToRgb,
        code: usize,
        size: usize,
    ) -> Value {
        let (colours, channels) = layer.kernel.dim();
        let style = self.style(code, &layer.style);
        // Only three rows: here the batch can have a kernel each, which saves a pass over the features.
        let style = unsqueeze(&mut self.graph, &style, &[1]);
        let kernel = self.graph.constant(&layer.kernel);
        let kernel = mul(&mut self.graph, &kernel, &style);
        let pixels = reshape(&mut self.graph, features, &[0, signed(channels), -1]);
        let added = matmul(&mut self.graph, &kernel, &pixels);
        let added = reshape(
            &mut self.graph,
            &added,
            &[0, signed(colours), signed(size), signed(size)],
        );
        let added = add_bias(&mut self.graph, &added, &layer.bias);
        let added = self.clamped(added, layer.clamp);
        let Some(image) = image else { return added };
        let image = self.upsampled(image, colours);
        add(&mut self.graph, &image, &added)
    }

    /// Twice the resolution: zeros after each pixel, then the filter.
    fn upsampled(&mut self, value: &Value, channels: usize) -> Value {
        let filter = self.filter(channels);
        let settings = Convolution::padded(1).strided(2).grouped(signed(channels));
        conv_transpose(&mut self.graph, value, &filter, None, settings)
    }

    /// The filter of the upsampling, for each channel: `[channels, 1, 4, 4]`.
    fn filter(&mut self, channels: usize) -> Value {
        let filter = Array4::from_shape_fn((channels, 1, 4, 4), |(_, _, y, x)| FILTER[y] * FILTER[x]);
        self.graph.constant(&filter)
    }

    fn clamped(&mut self, value: Value, limit: Option<f32>) -> Value {
        match limit {
            Some(limit) => clip(&mut self.graph, &value, -limit, limit),
            None => value,
        }
    }
}
