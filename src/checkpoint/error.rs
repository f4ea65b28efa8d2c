//! The errors of checkpoints. Each message begins with the file.

/// A checkpoint that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {fault}")]
pub struct CheckpointError {
    /// The file.
    pub file: String,
    /// What is wrong with it. The message has it, so it is not the error's source, whose message would follow.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is no checkpoint.
    #[error(
        "found {found}; expected a checkpoint: a pickle (.pkl), a PyTorch file (.pt, .pth), safetensors or NumPy arrays (.npy, .npz)"
    )]
    Foreign {
        /// What it is, as far as its first bytes say.
        found: String,
    },
    /// It ends too early.
    #[error("found the end of the file within {within}; the file is incomplete: download or copy it again")]
    Truncated {
        /// What is not complete.
        within: String,
    },
    /// Its bytes do not make sense.
    #[error("found {found}; expected {expected}")]
    Malformed {
        /// What was found.
        found: String,
        /// What the format has there.
        expected: String,
    },
    /// A tensor comes from a class or a function that the reader does not know.
    #[error(
        "found a tensor that is made by {global}, which is not known and was not run; save the network again as a plain state dict"
    )]
    UnknownGlobal {
        /// Module and name.
        global: String,
    },
    /// A tensor is of a kind that networks here do not have: sparse, quantized, complex.
    #[error("found {kind}; expected a dense tensor of floating-point numbers, integers or booleans")]
    TensorKind {
        /// The kind.
        kind: String,
    },
    /// A limit on what a checkpoint may need is exceeded.
    #[error("found {found}; at most {most} can be read")]
    Limit {
        /// What was found, with its size.
        found: String,
        /// The limit.
        most: String,
    },
    /// The file cannot be read from the disk.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

/// A text of a file as errors show it: in quotes, with escapes, its beginning if it is long.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 120;
    let beginning: String = text.chars().take(MOST).collect();
    let more = if beginning.len() < text.len() { "…" } else { "" };
    format!("{beginning:?}{more}")
}

impl Fault {
    /// The bytes do not make sense.
    pub(crate) fn malformed(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Malformed {
            found: found.into(),
            expected: expected.into(),
        }
    }

    /// The error of a file.
    pub(crate) fn of(self, file: &str) -> CheckpointError {
        CheckpointError {
            file: file.to_owned(),
            fault: self,
        }
    }
}
