//! Checkpoints of networks: tensors out of pickles, zip files, TensorFlow-era files and safetensors.
//!
//! Nothing in a file is ever executed. A pickle is read as data: a class or a function that it names becomes an inert
//! [`Object::Record`]. This layer knows file formats; it does not know what a network computes.
//!
//! | to find | look in |
//! | --- | --- |
//! | how a file's format is recognised, and the formats | `containers` |
//! | pickles | `pickle` |
//! | which objects of a file are networks | `networks` |
//! | the arrays of a file that is no network | [`read_arrays`] |
//! | where the elements of a tensor lie, and their conversion | `tensor`, `element`, `stored_bytes` |

mod containers;
mod element;
mod error;
mod network;
mod networks;
mod npy_header;
mod object;
mod pickle;
mod stored_bytes;
mod tensor;

use std::fmt::Write;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::checkpoint::pickle::Budget;

pub use element::Element;
pub use error::{CheckpointError, Fault};
pub use network::Network;
pub(crate) use npy_header::{NPY_MAGIC, NpyHeader};
pub use object::{MOST_DEPTH, Object, Record};
pub use stored_bytes::StoredBytes;
pub use tensor::StoredTensor;

/// What a file holds.
#[derive(Debug)]
pub struct Checkpoint {
    /// The format, in words: "PyTorch zip", "pickle", ….
    pub format: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// The networks in it, in the order of the file.
    pub networks: Vec<Network>,
    /// Everything in the file.
    pub root: Object,
}

impl Checkpoint {
    /// Reads a file. Its content decides the format, not its name. The elements of tensors stay in the file until
    /// [`StoredTensor::read`], so the file must stay as it is.
    ///
    /// # Errors
    /// [`CheckpointError`] says what was found.
    pub fn read(file: &Path) -> Result<Self, CheckpointError> {
        let name: Rc<str> = file.display().to_string().into();
        Self::read_named(file, &name).map_err(|fault| fault.of(&name))
    }

    fn read_named(file: &Path, name: &Rc<str>) -> Result<Self, Fault> {
        let bytes = StoredBytes::open(file)?;
        let content = containers::read(&bytes, name, &mut Budget::new())?;
        Ok(Self {
            format: content.format.to_owned(),
            networks: networks::find(&content.root, name)?,
            root: content.root,
            digest: digest(&bytes)?,
        })
    }
}

/// The tensors and arrays of a file in memory by their place in it, such as `latents` or `w.0`; no name if the file is one array. The
/// file is a few codes or directions: if it is compressed, an array may have `most_decompressed` bytes. Errors name it `file`.
///
/// # Errors
/// [`CheckpointError`] says what was found.
pub fn read_arrays(
    bytes: Vec<u8>,
    file: &str,
    most_decompressed: u64,
) -> Result<Vec<(String, Rc<StoredTensor>)>, CheckpointError> {
    let read = || {
        let mut budget = Budget::of_arrays(most_decompressed);
        let content = containers::read(&StoredBytes::memory(bytes), &file.into(), &mut budget)?;
        networks::all_tensors(&content.root, &mut budget)
    };
    read().map_err(|fault| fault.of(file))
}

/// The SHA-256 in hexadecimal.
fn digest(bytes: &StoredBytes) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut reader = bytes.cursor();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match reader.read(&mut chunk)? {
            0 => break,
            len => digest.update(&chunk[..len]),
        }
    }
    Ok(hexadecimal(&digest.finalize()))
}

/// Bytes, such as those of a digest, in hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hexadecimal, byte| {
        write!(hexadecimal, "{byte:02x}").expect("a string can be written to");
        hexadecimal
    })
}
