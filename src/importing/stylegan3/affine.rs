//! Dense layers of the synthesis network, which make styles of w codes.

use ndarray::{Array1, Array2};

use crate::graph::operators::{add, matmul};
use crate::graph::{GraphBuilder, Value};

/// A dense layer: input · weight + bias.
#[derive(Debug)]
pub(super) struct Affine {
    /// `[in, out]`.
    pub(super) weight: Array2<f32>,
    /// `[out]`.
    pub(super) bias: Array1<f32>,
}

impl Affine {
    /// The output for an input `[batch, in]`.
    pub(super) fn build(&self, graph: &mut GraphBuilder, input: &Value) -> Value {
        let weight = graph.constant(&self.weight);
        let bias = graph.constant(&self.bias);
        let product = matmul(graph, input, &weight);
        add(graph, &product, &bias)
    }
}
