//! A small style-based generator, from which the tests build the variants of an export.

use faceplane::graph::operators::{
    Convolution, conv, conv_transpose, leaky_relu, matmul, mul, reshape, slice, unsqueeze,
};
use faceplane::graph::proto::{DataType, TypeValue, ValueInfoProto};
use faceplane::graph::{Axis, GraphBuilder, Model, Value, integer};
use ndarray::ArrayD;

/// Length of z and w.
pub(crate) const DIM: usize = 8;
/// Rows of a w+ code.
pub(crate) const LAYERS: usize = 3;
/// Height and width of the images.
pub(crate) const SIZE: usize = 16;
const CHANNELS: usize = 6;

pub(crate) fn axes(lengths: &[usize]) -> Vec<Axis> {
    let fixed = lengths.iter().map(|&length| Axis::Fixed(length));
    std::iter::once(Axis::batch()).chain(fixed).collect()
}

/// Weights that look random and are always the same.
pub(crate) fn weights(shape: &[usize], scale: f32) -> ArrayD<f32> {
    let count = shape.iter().product::<usize>();
    let values = (0..u16::try_from(count).unwrap()).map(|index| scale * (f32::from(index) * 1.7 + 0.3).sin());
    ArrayD::from_shape_vec(shape.to_vec(), values.collect()).unwrap()
}

/// z `[batch, DIM]` → w `[batch, DIM]`.
pub(crate) fn mapping(graph: &mut GraphBuilder, z: &Value) -> Value {
    let mut w = z.clone();
    for scale in [0.5, 0.7] {
        let matrix = graph.constant(&weights(&[DIM, DIM], scale));
        w = matmul(graph, &w, &matrix);
        w = leaky_relu(graph, &w, 0.2);
    }
    w
}

/// The rows of w+ `[batch, LAYERS, DIM]`, each `[batch, DIM]`.
pub(crate) fn rows(graph: &mut GraphBuilder, w: &Value) -> [Value; LAYERS] {
    [0, 1, 2].map(|layer| {
        let row = slice(graph, w, 1, layer, layer + 1);
        reshape(graph, &row, &[-1, 8])
    })
}

/// w `[batch, DIM]`, repeated over the layers: `[batch, LAYERS, DIM]`.
pub(crate) fn repeated(graph: &mut GraphBuilder, w: &Value) -> Value {
    let row = unsqueeze(graph, w, &[1]);
    let times = graph.integers(&[1, 3, 1]);
    graph.node("Tile", &[&row, &times], vec![])
}

/// A tensor in another type of elements.
pub(crate) fn cast(graph: &mut GraphBuilder, value: &Value, to: DataType) -> Value {
    graph.node("Cast", &[value], vec![integer("to", i64::from(i32::from(to)))])
}

/// Declares the type of a graph's inputs and outputs.
pub(crate) fn declare(values: &mut [ValueInfoProto], element: DataType) {
    for value in values {
        if let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().and_then(|kind| kind.value.as_mut()) {
            tensor.elem_type = element.into();
        }
    }
}

/// The code of each layer, `[batch, DIM]` → image `[batch, channels, SIZE, SIZE]`.
pub(crate) fn synthesis(graph: &mut GraphBuilder, rows: &[Value; LAYERS], channels: usize) -> Value {
    let matrix = graph.constant(&weights(&[DIM, CHANNELS * 16], 0.6));
    let start = matmul(graph, &rows[0], &matrix);
    let mut features = reshape(graph, &start, &[-1, 6, 4, 4]);
    for (row, scale) in rows[1..].iter().zip([0.4, 0.5]) {
        let matrix = graph.constant(&weights(&[DIM, CHANNELS], scale));
        let style = matmul(graph, row, &matrix);
        let style = reshape(graph, &style, &[-1, 6, 1, 1]);
        features = mul(graph, &features, &style);
        let kernel = graph.constant(&weights(&[CHANNELS, CHANNELS, 4, 4], scale));
        let settings = Convolution::padded(1).strided(2);
        features = conv_transpose(graph, &features, &kernel, None, settings);
        features = leaky_relu(graph, &features, 0.2);
    }
    let kernel = graph.constant(&weights(&[channels, CHANNELS, 1, 1], 0.5));
    let image = conv(graph, &features, &kernel, None, Convolution::padded(0));
    graph.node("Tanh", &[&image], vec![])
}

/// The plain generator, z → image, without a mapping of its own: what the variants must equal.
pub(crate) fn plain() -> Model {
    let mut graph = GraphBuilder::new("plain");
    let z = graph.input("z", &axes(&[DIM]));
    let w = mapping(&mut graph, &z);
    let image = synthesis(&mut graph, &[w.clone(), w.clone(), w], 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    graph.finish()
}
