//! The graph of the synthesis network: w codes → image.
//!
//! Styles multiply the input of a convolution instead of its kernel, so that a batch shares the kernel. The kernel is
//! demodulated at the output for the same reason: σ(s)² = Σᵢ sᵢ² Σ k²ᵢ, a product of the squared styles with a constant matrix.

use ndarray::{Array1, Array2, Array3, Array4, ArrayD, Axis as Dim};

use crate::graph::operators::{
    Convolution, add, clip, conv, conv_transpose, leaky_relu, matmul, mul, reciprocal, reshape, slice, sqrt,
    unsqueeze,
};
use crate::graph::{Axis, GraphBuilder, Model, Value, scalar};
use crate::importing::stylegan2::generator::{Block, Dense, EPSILON, FILTER, Layer, SLOPE, Synthesis, ToRgb};
use crate::importing::stylegan2::mapping::dense;

/// The size of the feature map that takes a correction. If no block has it, the nearest one has.
const CORRECTED_SIZE: usize = 32;

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
            features = network.corrected(&features, block.plain.bias.len(), size);
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
            let kernel = self.graph.constant(&kernel.clone().into_dyn());
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
        let demodulation = self.demodulation(&style, layer);
        let input = self.multiplied(input, &style);
        let bias = &layer.bias * layer.gain;
        let mut value = if up {
            let kernel = layer.kernel.clone().permuted_axes([1, 0, 2, 3]);
            let kernel = self.graph.constant(&kernel.into_dyn());
            let settings = Convolution::padded(0).strided(2);
            let value = conv_transpose(&mut self.graph, &input, &kernel, None, settings);
            let value = self.multiplied(&value, &demodulation);
            let filter = self.filter(outputs);
            let bias = self.graph.constant(&bias.into_dyn());
            let settings = Convolution::padded(1).grouped(signed(outputs));
            conv(&mut self.graph, &value, &filter, Some(&bias), settings)
        } else {
            let kernel = self.graph.constant(&layer.kernel.clone().into_dyn());
            let value = conv(&mut self.graph, &input, &kernel, None, Convolution::padded(1));
            let value = self.multiplied(&value, &demodulation);
            self.plus_bias(&value, &bias)
        };
        if layer.noise.iter().any(|&noise| noise != 0.0) {
            let noise = &layer.noise * layer.gain;
            let noise = self
                .graph
                .constant(&noise.insert_axis(Dim(0)).insert_axis(Dim(0)).into_dyn());
            value = add(&mut self.graph, &value, &noise);
        }
        value = leaky_relu(&mut self.graph, &value, SLOPE);
        self.clamped(value, layer.clamp)
    }

    /// The style of the next layer, `[batch, channels]`, from its w code.
    fn style(&mut self, code: usize, layer: &Dense) -> Value {
        let code = slice(&mut self.graph, &self.codes, 1, signed(code), signed(code + 1));
        let code = reshape(&mut self.graph, &code, &[-1, signed(self.w_dim)]);
        let style = dense(&mut self.graph, &code, layer);
        let channels = layer.bias.len();
        let edit = self.graph.optional_input(
            &format!("style_{}", self.styles),
            &[Axis::batch(), Axis::Fixed(channels)],
            &ArrayD::zeros(vec![1, channels]),
        );
        self.styles += 1;
        add(&mut self.graph, &style, &edit)
    }

    /// The factor of each channel of a layer's output, `[batch, out]`: gain / σ.
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

    /// The features with each channel multiplied by its factor in `[batch, channels]`.
    fn multiplied(&mut self, features: &Value, factors: &Value) -> Value {
        let factors = unsqueeze(&mut self.graph, factors, &[2, 3]);
        mul(&mut self.graph, features, &factors)
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
        let kernel = self.graph.constant(&layer.kernel.clone().into_dyn());
        let kernel = mul(&mut self.graph, &kernel, &style);
        let pixels = reshape(&mut self.graph, features, &[0, signed(channels), -1]);
        let added = matmul(&mut self.graph, &kernel, &pixels);
        let added = reshape(
            &mut self.graph,
            &added,
            &[0, signed(colours), signed(size), signed(size)],
        );
        let added = self.plus_bias(&added, &layer.bias);
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
        self.graph.constant(&filter.into_dyn())
    }

    fn plus_bias(&mut self, value: &Value, bias: &Array1<f32>) -> Value {
        let bias = bias.clone().insert_axis(Dim(1)).insert_axis(Dim(2));
        let bias: Array3<f32> = bias;
        let bias = self.graph.constant(&bias.into_dyn());
        add(&mut self.graph, value, &bias)
    }

    fn clamped(&mut self, value: Value, limit: Option<f32>) -> Value {
        match limit {
            Some(limit) => clip(&mut self.graph, &value, -limit, limit),
            None => value,
        }
    }

    /// The features with the optional correction.
    fn corrected(&mut self, features: &Value, channels: usize, size: usize) -> Value {
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
