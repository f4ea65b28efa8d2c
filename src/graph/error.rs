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
}
