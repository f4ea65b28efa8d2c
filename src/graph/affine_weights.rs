//! The matrices that a generator multiplies its latent code with.

use std::collections::{HashMap, HashSet};

use ndarray::{Array2, ArrayD, Axis, concatenate};

use crate::graph::GraphError;
use crate::graph::proto::{GraphProto, NodeProto, TensorProto};

/// The most nodes that make a matrix of a constant.
const DEEPEST: usize = 8;
/// Operators that keep a latent code, or part of its layers, up to factors and shifts: what a graph does with a code before its
/// layers multiply it.
const KEEP: &[&str] = &[
    "Add",
    "Cast",
    "Div",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "LpNormalization",
    "Mul",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

/// The matrices that multiply the latent code `input`, `[dim, outputs]`, one beside the other: of all layers that take a w code,
/// or of the first layer where the code is a z code.
///
/// From the input, it follows the operators that select, move or scale values up to the first product with a constant. Factors
/// that all weights of a matrix have in common may be left out.
///
/// # Errors
/// [`GraphError::NoAffineWeights`] if the graph multiplies its input with no constant matrix of `dim` rows.
pub fn affine_weights(graph: &GraphProto, input: &str, dim: usize) -> Result<Array2<f32>, GraphError> {
    let layers = affine_layers(graph, &Constants::of(graph), input, dim);
    let views: Vec<_> = layers.iter().map(|(_, matrix)| matrix.view()).collect();
    concatenate(Axis(1), &views).map_err(|_| GraphError::NoAffineWeights {
        input: input.to_owned(),
        dim,
    })
}

/// The nodes that multiply the latent code `input`, each with its matrix `[dim, outputs]`, in the order of the graph.
pub(super) fn affine_layers<'a>(
    graph: &'a GraphProto,
    constants: &Constants<'a>,
    input: &'a str,
    dim: usize,
) -> Vec<(&'a NodeProto, Array2<f32>)> {
    let mut codes = HashSet::from([input]);
    let mut layers = Vec::new();
    for node in &graph.node {
        if !node.input.iter().any(|name| codes.contains(name.as_str())) {
            continue;
        }
        if let Some(matrix) = constants.multiplied(node, &codes) {
            if matrix.nrows() == dim {
                layers.push((node, matrix));
            }
        } else if KEEP.contains(&node.op_type.as_str()) {
            codes.extend(node.output.iter().map(String::as_str));
        }
    }
    layers
}

/// The values that a graph makes of constants alone.
pub(super) struct Constants<'a> {
    makers: HashMap<&'a str, &'a NodeProto>,
    initializers: HashMap<&'a str, &'a TensorProto>,
}

impl<'a> Constants<'a> {
    pub(super) fn of(graph: &'a GraphProto) -> Self {
        let outputs = |node: &'a NodeProto| node.output.iter().map(move |name| (name.as_str(), node));
        let tensors = graph.initializer.iter();
        Self {
            makers: graph.node.iter().flat_map(outputs).collect(),
            initializers: tensors.map(|tensor| (tensor.name.as_str(), tensor)).collect(),
        }
    }

    /// The matrix `[in, out]` that a node multiplies a code with, or `None` if it does not.
    fn multiplied(&self, node: &NodeProto, codes: &HashSet<&str>) -> Option<Array2<f32>> {
        if !codes.contains(node.input_name(0)?) {
            return None;
        }
        let weights = || self.value(node.input_name(1)?, DEEPEST);
        let is_set = |name| node.integer(name).is_some_and(|flag| flag != 0);
        match node.op_type.as_str() {
            "MatMul" => weights()?.into_dimensionality().ok(),
            "Gemm" if !is_set("transA") => {
                let matrix: Array2<f32> = weights()?.into_dimensionality().ok()?;
                Some(if is_set("transB") {
                    matrix.reversed_axes()
                } else {
                    matrix
                })
            }
            // A code may be an image of one pixel.
            "Conv" => {
                let mut kernel = weights()?;
                if kernel.ndim() < 2 {
                    return None;
                }
                kernel.swap_axes(0, 1);
                flattened(kernel)
            }
            "ConvTranspose" => flattened(weights()?),
            _ => None,
        }
    }

    /// The number of axes of a value that constants alone make. `None` for other values.
    pub(super) fn axes(&self, name: &str) -> Option<usize> {
        Some(self.value(name, DEEPEST)?.ndim())
    }

    /// A value that constants alone make, up to a factor. `None` for other values.
    fn value(&self, name: &str, depth: usize) -> Option<ArrayD<f32>> {
        if let Some(tensor) = self.initializers.get(name) {
            return tensor.floats();
        }
        let depth = depth.checked_sub(1)?;
        let node = self.makers.get(name)?;
        let input = |index| self.value(node.input_name(index)?, depth);
        match node.op_type.as_str() {
            "Constant" => node.attribute("value")?.t.as_ref()?.floats(),
            "Identity" | "Cast" => input(0),
            "Transpose" => {
                let array = input(0)?;
                let Some(order) = node.integers("perm") else {
                    return Some(array.reversed_axes());
                };
                let order: Vec<_> = order
                    .iter()
                    .filter_map(|&axis| usize::try_from(axis).ok())
                    .collect();
                let mut sorted = order.clone();
                sorted.sort_unstable();
                sorted
                    .iter()
                    .copied()
                    .eq(0..array.ndim())
                    .then(|| array.permuted_axes(order))
            }
            "Mul" | "Div" => {
                let (a, b) = (input(0)?, input(1)?);
                match (a.len(), b.len()) {
                    (_, 1) => Some(a),
                    (1, _) if node.op_type == "Mul" => Some(b),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A kernel `[in, …]` as the matrix `[in, the rest]`.
fn flattened(kernel: ArrayD<f32>) -> Option<Array2<f32>> {
    let inputs = *kernel.shape().first()?;
    let outputs = kernel.len().checked_div(inputs)?;
    let matrix = kernel.to_shape((inputs, outputs)).ok()?;
    Some(matrix.into_owned())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayD, array};

    use super::affine_weights;
    use crate::graph::operators as op;
    use crate::graph::{Axis, GraphBuilder, Value, float, integer, integers};

    fn constant(graph: &mut GraphBuilder, values: &Array2<f32>) -> Value {
        graph.constant(&values.clone().into_dyn())
    }

    #[test]
    fn matrices_of_all_layers_lie_beside_each_other() {
        let mut graph = GraphBuilder::new("layers");
        let w = graph.input("w", &[Axis::batch(), Axis::Fixed(2), Axis::Fixed(2)]);
        let first = op::slice(&mut graph, &w, 1, 0, 1);
        let first = op::reshape(&mut graph, &first, &[-1, 2]);
        let (one, two) = (array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], array![[7.0, 8.0]]);
        let matrix = constant(&mut graph, &one);
        let features = op::matmul(&mut graph, &first, &matrix);
        // A Gemm with the matrix [out, in], as PyTorch exports it, and a factor.
        let second = op::slice(&mut graph, &w, 1, 1, 2);
        let second = op::reshape(&mut graph, &second, &[-1, 2]);
        let matrix = constant(&mut graph, &two);
        let factor = constant(&mut graph, &array![[0.5]]);
        let matrix = op::mul(&mut graph, &matrix, &factor);
        let matrix = graph.node("Gemm", &[&second, &matrix], vec![integer("transB", 1)]);
        // A product of features is none of the code.
        let after = constant(&mut graph, &array![[9.0, 9.0], [9.0, 9.0], [9.0, 9.0]]);
        let features = op::matmul(&mut graph, &features, &after);
        let sum = op::add(&mut graph, &features, &matrix);
        graph.output("image", &sum, &[Axis::batch(), Axis::Fixed(2)]);

        let found = affine_weights(graph.finish().graph(), "w", 2).unwrap();
        assert_eq!(found, array![[1.0, 2.0, 3.0, 7.0], [4.0, 5.0, 6.0, 8.0]]);
    }

    #[test]
    fn the_first_layer_counts_where_the_code_is_a_z_code() {
        let mut graph = GraphBuilder::new("convolution");
        let z = graph.input("z", &[Axis::batch(), Axis::Fixed(2)]);
        let norm = graph.node(
            "ReduceL2",
            &[&z],
            vec![integer("keepdims", 1), integers("axes", &[1])],
        );
        let unit = op::div(&mut graph, &z, &norm);
        let image = op::reshape(&mut graph, &unit, &[-1, 2, 1, 1]);
        let kernel = ArrayD::from_shape_vec(vec![3, 2, 1, 2], (0..12_u8).map(f32::from).collect()).unwrap();
        let kernel = graph.constant(&kernel);
        let features = graph.node("Conv", &[&image, &kernel], vec![]);
        let features = graph.node("LeakyRelu", &[&features], vec![float("alpha", 0.2)]);
        graph.output("image", &features, &[Axis::batch(), Axis::Fixed(3)]);

        let found = affine_weights(graph.finish().graph(), "z", 2).unwrap();
        let expected = array![[0.0, 1.0, 4.0, 5.0, 8.0, 9.0], [2.0, 3.0, 6.0, 7.0, 10.0, 11.0]];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_graph_without_products_is_refused() {
        let mut graph = GraphBuilder::new("none");
        let w = graph.input("w", &[Axis::batch(), Axis::Fixed(2)]);
        graph.output("image", &w, &[Axis::batch(), Axis::Fixed(2)]);
        let refused = affine_weights(graph.finish().graph(), "w", 2).unwrap_err();
        assert!(refused.to_string().contains("\"w\""), "{refused}");
    }
}
