//! Checkpoints of networks: tensors out of pickles, zip files, TensorFlow-era files and safetensors.
//!
//! Nothing in a file is ever executed. A pickle is read as data: a class or a function that it names becomes an inert
//! [`Object::Record`]. This layer knows file formats; it does not know what a network computes.

mod error;
mod network;
mod object;
mod tensor;

use std::path::Path;

pub use error::CheckpointError;
pub use network::Network;
pub use object::Object;
pub use tensor::StoredTensor;

/// What a file holds.
#[derive(Debug)]
pub struct Checkpoint {
    /// The format, in words: "PyTorch zip", "StyleGAN persistence pickle", ….
    pub format: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// The networks in it, in the order of the file.
    pub networks: Vec<Network>,
    /// Everything in the file.
    pub root: Object,
}

impl Checkpoint {
    /// Reads a file. Its content decides the format, not its name.
    ///
    /// # Errors
    /// [`CheckpointError`] says what was found.
    pub fn read(file: &Path) -> Result<Self, CheckpointError> {
        Err(CheckpointError::Unknown {
            file: file.display().to_string(),
            found: String::new(),
        })
    }
}
