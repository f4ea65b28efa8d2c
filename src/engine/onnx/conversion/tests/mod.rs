//! Each key of the manifest against ONNX Runtime's own answer for a picture that the test converts by itself.

mod inputs;
mod outputs;

use ndarray::{Array4, ArrayD, IxDyn};

use crate::catalog::{Graph, Manifest};
use crate::engine::{GeneratorShape, SynthesisInput};
use crate::graph::{Axis, GraphBuilder, Model, integer, operators};

/// Height and width of the generator's images, and their range.
pub(super) const SIZE: [usize; 2] = [12, 10];
pub(super) const RANGE: [f32; 2] = [-1.0, 1.0];
pub(super) const COLUMNS: usize = 4;

pub(super) fn shape() -> GeneratorShape {
    GeneratorShape {
        z_dim: 2,
        w_dim: 2,
        synthesis: SynthesisInput::Z,
        height: SIZE[0],
        width: SIZE[1],
        largest_batch: 8,
        styles: Err("this generator has none".to_owned()),
    }
}

/// Numbers between −1 and 1 without a pattern.
pub(super) fn noise(index: usize) -> f32 {
    let mixed = u32::try_from(index).unwrap().wrapping_mul(2_654_435_769);
    f32::from(u16::try_from(mixed >> 16).unwrap()) / 32768.0 - 1.0
}

pub(super) fn images(count: usize) -> Array4<f32> {
    let mut index = 0;
    Array4::from_shape_simple_fn((count, 3, SIZE[0], SIZE[1]), || {
        index += 1;
        noise(index)
    })
}

/// A graph: the input, flattened, times a matrix. `axes` are those of the input; `columns` is the length of the output.
pub(super) fn linear(axes: &[Axis], columns: usize) -> Model {
    let values: usize = axes[1..]
        .iter()
        .map(|axis| match axis {
            Axis::Fixed(length) => *length,
            Axis::Open(name) => name.parse().unwrap(),
        })
        .product();
    let mut graph = GraphBuilder::new("linear");
    let input = graph.input("input", axes);
    let flat = graph.node("Flatten", &[&input], vec![integer("axis", 1)]);
    let matrix = ArrayD::from_shape_vec(
        IxDyn(&[values, columns]),
        (0..values * columns)
            .map(|index| noise(index + 7) / 4.0)
            .collect(),
    );
    let matrix = graph.constant(&matrix.unwrap());
    let output = operators::matmul(&mut graph, &flat, &matrix);
    graph.output("output", &output, &[axes[0].clone(), Axis::Fixed(columns)]);
    graph.finish()
}

pub(super) fn fixed(lengths: &[usize]) -> Vec<Axis> {
    let rest = lengths.iter().map(|&length| Axis::Fixed(length));
    [Axis::batch()].into_iter().chain(rest).collect()
}

pub(super) fn file(model: &Model) -> Graph {
    Graph::new("network.onnx".to_owned(), model.to_bytes().into())
}

pub(super) fn manifest(tables: &str) -> Manifest {
    let text = format!("name = \"tiny\"\n[generator]\nsynthesis = \"g.onnx\"\n{tables}");
    Manifest::parse(&text, "manifest.toml").unwrap()
}
