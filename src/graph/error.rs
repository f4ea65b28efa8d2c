//! The errors of ONNX graphs.

/// Something that cannot be done with an ONNX graph.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The bytes are not an ONNX file.
    #[error("found no ONNX model: {reason}")]
    NotOnnx {
        /// What is wrong.
        reason: String,
    },
    /// The shape of a node's output is not known.
    #[error(
        "found {operator} {node:?} of inputs {inputs}; expected a standard operator with a known shape, and no open axis but the batch"
    )]
    Shape {
        /// The operator.
        operator: String,
        /// The node's name.
        node: String,
        /// The shapes of its inputs.
        inputs: String,
    },
    /// A node cannot be differentiated.
    #[error("{operator} {node:?} cannot be differentiated: {reason}")]
    NotDifferentiable {
        /// The operator.
        operator: String,
        /// The node's name.
        node: String,
        /// Why.
        reason: String,
    },
    /// A graph lacks a tensor.
    #[error("found no tensor {name:?} in the graph")]
    NoTensor {
        /// The tensor's name.
        name: String,
    },
    /// An input or output of a graph has another shape than expected.
    #[error("found {tensor} {found}, expected {expected}")]
    Tensor {
        /// The input or output.
        tensor: String,
        /// Its shape.
        found: String,
        /// The expected shape.
        expected: String,
    },
    /// A graph does not multiply its latent code with constant matrices.
    #[error(
        "found no constant matrix of {dim} rows that multiplies the input {input:?}; expected a generator with dense layers that take \
         its code"
    )]
    NoAffineWeights {
        /// The input.
        input: String,
        /// The length of a code.
        dim: usize,
    },
    /// A synthesis graph uses its code in other ways than by the styles of its layers.
    #[error("its image depends on the input {input:?} not only through the styles of its layers")]
    CodeBesideStyles {
        /// The input.
        input: String,
    },
    /// Weights in another file are missing.
    #[error(
        "the tensor {tensor:?} has its weights in {location:?}, but found {found} there; expected all its bytes"
    )]
    ExternalWeights {
        /// The tensor.
        tensor: String,
        /// The file.
        location: String,
        /// What the file is or has.
        found: String,
    },
}
