//! The errors of checkpoints. Each message begins with the file.

/// A checkpoint that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file is no checkpoint.
    #[error("{file}: found {found}; expected a checkpoint: a pickle, a PyTorch file, or safetensors")]
    Unknown {
        /// The file.
        file: String,
        /// What it is, as far as its first bytes say.
        found: String,
    },
}
