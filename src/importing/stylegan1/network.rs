//! The graphs of a StyleGAN generator.

use ndarray::{Array3, Array4, ArrayD, Axis as ArrayAxis, Slice};

use crate::graph::operators::{self as op, Convolution as Settings};
use crate::graph::{Axis, GraphBuilder, Model, Value, signed};
use crate::importing::feature_maps::per_channel;
use crate::importing::normalization::{EPSILON, normalized_codes};
use crate::importing::progressive::{SLOPE, add_optional_feature, doubled, image_output, scale, scaled};
use crate::importing::stylegan1::weights::{Dense, Epilogue, GeneratorWeights, Layer};
use crate::importing::styles;

/// The learning rate of the mapping, relative to that of the synthesis. It is a factor of its weights.
const MAPPING_RATE: f32 = 0.01;
/// The kernel of the blur after a layer that doubles, in one axis.
const BLUR: [f32; 3] = [0.25, 0.5, 0.25];

/// `z` → `w`.
pub(super) fn mapping(weights: &GeneratorWeights) -> Model {
    let mut graph = GraphBuilder::new("StyleGAN mapping");
    let z = graph.input("z", &[Axis::batch(), Axis::Fixed(weights.z_dim())]);
    let mut w = normalized_codes(&mut graph, &z);
    for layer in &weights.mapping {
        let matrix = &layer.matrix * (MAPPING_RATE * scale(2_f64.sqrt(), layer.matrix.nrows()));
        let matrix = graph.constant(&matrix);
        let bias = graph.constant(&(&layer.bias * MAPPING_RATE));
        w = op::gemm(&mut graph, &w, &matrix, &bias);
        w = op::leaky_relu(&mut graph, &w, SLOPE);
    }
    graph.output("w", &w, &[Axis::batch(), Axis::Fixed(weights.w_dim())]);
    graph.finish()
}

/// `w` `[batch, layers, w_dim]` → `image`.
pub(super) fn synthesis(weights: &GeneratorWeights) -> Model {
    let mut graph = GraphBuilder::new("StyleGAN synthesis");
    let axes = [
        Axis::batch(),
        Axis::Fixed(weights.layers()),
        Axis::Fixed(weights.w_dim()),
    ];
    let w = graph.input("w", &axes);
    let mut features = first_layer(&mut graph, weights, &w);
    let mut height = 4;
    for (layer, index) in weights.layers.iter().zip(1_usize..) {
        let doubles = index.is_multiple_of(2);
        features = if doubles {
            height *= 2;
            doubling(&mut graph, layer, &features, height)
        } else {
            convolution(&mut graph, layer, &features)
        };
        features = activation(&mut graph, &layer.epilogue, &features);
        let channels = layer.epilogue.bias.len();
        let style = style(&mut graph, &layer.epilogue.style, &w, index);
        features = adaptive_norm(&mut graph, &features, &style, [channels, height]);
        if !doubles {
            features = add_optional_feature(&mut graph, &features, channels, height, weights.resolution());
        }
    }
    let image = to_rgb(&mut graph, weights, &features);
    image_output(&mut graph, &image, weights.resolution());
    graph.finish()
}

/// Layer 0. Its features before the style do not depend on w.
fn first_layer(graph: &mut GraphBuilder, weights: &GeneratorWeights, w: &Value) -> Value {
    let epilogue = &weights.first;
    let features = graph.constant(&normalized(&weights.constant, epilogue));
    let style = style(graph, &epilogue.style, w, 0);
    let channels = signed(epilogue.bias.len());
    let style = op::reshape(graph, &style, &[-1, 2 * channels, 1, 1]);
    let factor = op::slice(graph, &style, 1, 0, channels);
    let shift = op::slice(graph, &style, 1, channels, 2 * channels);
    let features = op::mul(graph, &features, &factor);
    op::add(graph, &features, &shift)
}

/// The constant of layer 0 after noise, bias, activation and instance normalization, `[1, channels, 4, 4]`.
fn normalized(constant: &Array3<f32>, epilogue: &Epilogue) -> Array4<f32> {
    let mut features = constant.clone();
    for (channel, mut pixels) in features.outer_iter_mut().enumerate() {
        pixels.scaled_add(epilogue.noise_weight[channel], &epilogue.noise);
        pixels += epilogue.bias[channel];
        pixels.mapv_inplace(|value| if value > 0.0 { value } else { SLOPE * value });
        let mean = pixels.mean().expect("the constant has 16 pixels");
        pixels -= mean;
        let variance = pixels
            .mapv(|value| value * value)
            .mean()
            .expect("the same pixels");
        pixels /= (variance + EPSILON).sqrt();
    }
    features.insert_axis(ArrayAxis(0))
}

/// A 3×3 convolution.
fn convolution(graph: &mut GraphBuilder, layer: &Layer, features: &Value) -> Value {
    let kernel = graph.constant(&scaled(&layer.kernel, 2_f64.sqrt()));
    let bias = graph.constant(&layer.epilogue.bias);
    op::conv(graph, features, &kernel, Some(&bias), Settings::padded(1))
}

/// Doubling by nearest neighbour, a 3×3 convolution, and a blur.
fn doubling(graph: &mut GraphBuilder, layer: &Layer, features: &Value, height: usize) -> Value {
    let kernel = scaled(&layer.kernel, 2_f64.sqrt());
    let features = doubled(graph, features, &kernel, None, height);
    let channels = layer.epilogue.bias.len();
    let blur = ArrayD::from_shape_fn(vec![channels, 1, 3, 3], |index| BLUR[index[2]] * BLUR[index[3]]);
    let blur = graph.constant(&blur);
    let bias = graph.constant(&layer.epilogue.bias);
    let settings = Settings::padded(1).grouped(signed(channels));
    op::conv(graph, &features, &blur, Some(&bias), settings)
}

/// Noise and activation. The bias is the convolution's.
fn activation(graph: &mut GraphBuilder, epilogue: &Epilogue, features: &Value) -> Value {
    let noise = epilogue
        .noise
        .clone()
        .insert_axis(ArrayAxis(0))
        .insert_axis(ArrayAxis(0));
    let noise = graph.constant(&noise);
    let weight = per_channel(graph, &epilogue.noise_weight);
    let noise = op::mul(graph, &noise, &weight);
    let features = op::add(graph, features, &noise);
    op::leaky_relu(graph, &features, SLOPE)
}

/// The style of a layer, `[batch, 2 · channels]`: factors, then shifts. The optional input `style_<layer>` is added to it.
fn style(graph: &mut GraphBuilder, dense: &Dense, w: &Value, layer: usize) -> Value {
    let (w_dim, values) = dense.matrix.dim();
    let w = styles::code(graph, w, layer, w_dim);
    let matrix = graph.constant(&(&dense.matrix * scale(1.0, w_dim)));
    let mut bias = dense.bias.clone();
    let mut factors = bias.slice_axis_mut(ArrayAxis(0), Slice::from(..values / 2));
    factors += 1.0;
    let bias = graph.constant(&bias);
    let style = op::gemm(graph, &w, &matrix, &bias);
    styles::edited(graph, &style, layer, values)
}

/// Instance normalization with the factors and shifts of a style.
///
/// The operator has one factor and one shift for each channel, so the images of the batch become channels of one image:
/// ONNX Runtime then reads the features twice and writes them once, where single operators need three times as many passes.
fn adaptive_norm(
    graph: &mut GraphBuilder,
    features: &Value,
    style: &Value,
    [channels, height]: [usize; 2],
) -> Value {
    let (channels, height) = (signed(channels), signed(height));
    let [factor, shift] = [0, channels].map(|from| {
        let half = op::slice(graph, style, 1, from, from + channels);
        op::reshape(graph, &half, &[-1])
    });
    let features = op::reshape(graph, features, &[1, -1, height, height]);
    let features = op::instance_normalization(graph, &features, &factor, &shift, EPSILON);
    op::reshape(graph, &features, &[-1, channels, height, height])
}

/// Red, green and blue of the last layer.
fn to_rgb(graph: &mut GraphBuilder, weights: &GeneratorWeights, features: &Value) -> Value {
    let (kernel, bias) = &weights.to_rgb;
    let kernel = graph.constant(&scaled(kernel, 1.0));
    let bias = graph.constant(bias);
    op::conv(graph, features, &kernel, Some(&bias), Settings::padded(0))
}
