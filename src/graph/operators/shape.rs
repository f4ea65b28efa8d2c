//! Operators on the axes of tensors.

use ndarray::arr1;

use crate::graph::builder::{GraphBuilder, Value, integer, string};

/// The elements in another shape. 0 keeps the length of the axis, −1 is computed.
pub fn reshape(graph: &mut GraphBuilder, a: &Value, shape: &[i64]) -> Value {
    let shape = graph.integers(shape);
    graph.node("Reshape", &[a, &shape], vec![])
}

/// `a` with new axes of length 1.
pub fn unsqueeze(graph: &mut GraphBuilder, a: &Value, axes: &[i64]) -> Value {
    let axes = graph.integers(axes);
    graph.node("Unsqueeze", &[a, &axes], vec![])
}

/// The elements `from..to` along an axis.
pub fn slice(graph: &mut GraphBuilder, a: &Value, axis: i64, from: i64, to: i64) -> Value {
    let (from, to, axis) = (
        graph.integers(&[from]),
        graph.integers(&[to]),
        graph.integers(&[axis]),
    );
    graph.node("Slice", &[a, &from, &to, &axis], vec![])
}

/// The values one after another along an axis.
pub fn concat(graph: &mut GraphBuilder, values: &[&Value], axis: i64) -> Value {
    graph.node("Concat", values, vec![integer("axis", axis)])
}

/// `a` `[batch, channels, height, width]`, enlarged by nearest neighbour: each pixel becomes `factor`² pixels.
pub fn resize(graph: &mut GraphBuilder, a: &Value, factor: u8) -> Value {
    let factor = f32::from(factor);
    // The region is for another mode only.
    let region = graph.constant(&arr1(&[]));
    let scales = graph.constant(&arr1(&[1.0, 1.0, factor, factor]));
    let attributes = vec![
        string("mode", "nearest"),
        string("coordinate_transformation_mode", "asymmetric"),
        string("nearest_mode", "floor"),
    ];
    graph.node("Resize", &[a, &region, &scales], attributes)
}

/// Each `side`² groups of channels of `a` `[batch, channels, height, width]` as the pixels of a square, row by row.
pub fn depth_to_space(graph: &mut GraphBuilder, a: &Value, side: i64) -> Value {
    graph.node("DepthToSpace", &[a], vec![integer("blocksize", side)])
}
