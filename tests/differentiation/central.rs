//! Central differences of a graph, and the gradient that is derived from it.

use faceplane::graph::gradient::vector_jacobian_product;
use faceplane::graph::proto::AttributeProto;
use faceplane::graph::{Axis, GraphBuilder, Model, Value};
use ndarray::{Array1, ArrayD, Axis as Dimension, IxDyn};

use crate::onnx_session::OnnxSession;

/// Where a graph is smooth: the factor and the offset of −1 … 1.
pub(crate) const AROUND_ZERO: (f32, f32) = (1.0, 0.0);
/// Likewise, for functions of positive numbers.
pub(crate) const POSITIVE: (f32, f32) = (0.8, 1.2);

/// A graph from `x` `[batch, …]` to `y`.
fn graph(shape: &[usize], rank: usize, build: impl Fn(&mut GraphBuilder, &Value) -> Value) -> Model {
    let mut graph = GraphBuilder::new("test");
    let axes: Vec<_> = [Axis::batch()]
        .into_iter()
        .chain(shape.iter().map(|&length| Axis::Fixed(length)))
        .collect();
    let x = graph.input("x", &axes);
    let y = build(&mut graph, &x);
    let axes: Vec<_> = (0..rank).map(|axis| Axis::Open(format!("axis{axis}"))).collect();
    graph.output("y", &y, &axes);
    graph.finish()
}

/// Numbers that look random, from −1 to 1, no two of them close to each other.
pub(crate) fn numbers(shape: &[usize], seed: u16) -> ArrayD<f32> {
    // Multiples of the golden ratio are spread evenly.
    let mut turns = f32::from(seed) * 0.37;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        turns = (turns + 0.618_034).fract();
        2.0 * turns - 1.0
    })
}

/// Refuses a derived gradient that differs from the extrapolated central differences by more than 1e-3 of its norm.
///
/// `scale` and `offset` move the elements of `x` from −1 … 1 to where the graph is smooth.
fn assert_gradient(name: &str, model: &Model, shape: &[usize], (scale, offset): (f32, f32)) {
    let derived = vector_jacobian_product(model, "y", &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
    let scatters = |operator: &str| operator.starts_with("Scatter");
    let nodes = &derived.graph().node;
    assert!(
        !nodes.iter().any(|node| scatters(&node.op_type)),
        "{name} adds by index"
    );
    let (mut forward, mut backward) = (OnnxSession::open(model), OnnxSession::open(&derived));
    let item = [&[1], shape].concat();
    let batch = [&[2], shape].concat();
    let x = numbers(&batch, 1).mapv(|value| value * scale + offset);
    let y = forward.output("y", &[("x", x.view())]);
    let weights = numbers(y.shape(), 2);
    let gradient = backward.output("gradient", &[("x", x.view()), ("weights", weights.view())]);
    assert_eq!(gradient.shape(), batch, "{name}");
    for index in 0..2 {
        let at = x
            .index_axis(Dimension(0), index)
            .into_shape_with_order(IxDyn(&item))
            .unwrap();
        let weights = weights.index_axis(Dimension(0), index);
        let expected = central_differences(&mut forward, at.to_owned(), weights.iter().copied().collect());
        let found: Array1<f64> = gradient
            .index_axis(Dimension(0), index)
            .iter()
            .map(|&value| f64::from(value))
            .collect();
        let apart = (&found - &expected).mapv(|value| value * value).sum().sqrt();
        let norm = expected.mapv(|value| value * value).sum().sqrt();
        assert!(
            norm > 1e-3 && apart <= 1e-3 * norm,
            "{name}: {apart:e} apart of {norm:e}\nfound    {found}\nexpected {expected}"
        );
    }
}

/// The derived gradient of the sum of a graph's elements at one `x` of these numbers.
pub(crate) fn gradient_at(x: &[f32], build: impl Fn(&mut GraphBuilder, &Value) -> Value) -> Vec<f32> {
    let model = graph(&[x.len()], 2, build);
    let derived = vector_jacobian_product(&model, "y", &[]).unwrap();
    let (mut forward, mut backward) = (OnnxSession::open(&model), OnnxSession::open(&derived));
    let x = ArrayD::from_shape_vec(IxDyn(&[1, x.len()]), x.to_vec()).unwrap();
    let weights = ArrayD::ones(forward.output("y", &[("x", x.view())]).raw_dim());
    let gradient = backward.output("gradient", &[("x", x.view()), ("weights", weights.view())]);
    gradient.iter().copied().collect()
}

/// The gradient of the sum of weights · y: (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h.
fn central_differences(forward: &mut OnnxSession, x: ArrayD<f32>, weights: Array1<f32>) -> Array1<f64> {
    const STEP: f32 = 1.0 / 256.0;
    let terms = [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)];
    let count = x.len();
    let moved: Vec<f32> = (0..count)
        .flat_map(|moved| terms.map(|term| (moved, term)))
        .flat_map(|(moved, (steps, _))| {
            let x = x.iter().enumerate();
            x.map(move |(index, &value)| {
                if index == moved {
                    value + steps * STEP
                } else {
                    value
                }
            })
        })
        .collect();
    let shape = [&[4 * count], &x.shape()[1..]].concat();
    let moved = ArrayD::from_shape_vec(IxDyn(&shape), moved).unwrap();
    let y = forward.output("y", &[("x", moved.view())]);
    let sums: Vec<f64> = y
        .outer_iter()
        .map(|item| {
            item.iter()
                .zip(&weights)
                .map(|(&y, &weight)| f64::from(y) * f64::from(weight))
                .sum()
        })
        .collect();
    sums.chunks(4)
        .map(|sums| {
            let sum: f64 = sums
                .iter()
                .zip(terms)
                .map(|(sum, (_, factor))| sum * factor)
                .sum();
            sum / (12.0 * f64::from(STEP))
        })
        .collect()
}

/// Checks the gradient of a graph.
pub(crate) fn check(
    name: &str,
    shape: &[usize],
    rank: usize,
    at: (f32, f32),
    build: impl Fn(&mut GraphBuilder, &Value) -> Value,
) {
    assert_gradient(name, &graph(shape, rank, build), shape, at);
}

/// Checks the gradient of a node whose other inputs are constants.
pub(crate) fn check_node(
    operator: &str,
    shape: &[usize],
    rank: usize,
    at: (f32, f32),
    constants: &[ArrayD<f32>],
    attributes: &[AttributeProto],
) {
    check(
        &format!("{operator} {attributes:?}"),
        shape,
        rank,
        at,
        |graph, x| {
            let constants: Vec<_> = constants
                .iter()
                .map(|constant| graph.constant(constant))
                .collect();
            let inputs: Vec<_> = [x].into_iter().chain(&constants).collect();
            graph.node(operator, &inputs, attributes.to_vec())
        },
    );
}
