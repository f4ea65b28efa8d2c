//! What can be wrong with a model folder; each message opens with the file.

use crate::latent::{LatentError, LatentSpace};

/// A file of a model folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file could not be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The file could not be written or removed.
    #[error("{file}: cannot be written: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// What the system said.
        reason: std::io::Error,
    },
    /// Another service keeps its boundaries in the folder.
    #[error(
        "{folder}: another service has this store open; end it, or give this one a folder of its own with --store"
    )]
    StoreInUse {
        /// The folder.
        folder: String,
    },
    /// The manifest is not the TOML that `onnx/README.md` describes.
    #[error("{file}: {reason}")]
    Manifest {
        /// The manifest.
        file: String,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A manifest entry that cannot be right, whatever the other files hold.
    #[error("{file}: {key} is {found}, expected {expected}")]
    Entry {
        /// The manifest.
        file: String,
        /// The key, with its table.
        key: String,
        /// The value found.
        found: String,
        /// What would do.
        expected: String,
    },
    /// The bytes are no array in NumPy's format that can be taken.
    #[error("{file}: {reason}")]
    Npy {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: NpyError,
    },
    /// The JSON beside a boundary cannot be taken.
    #[error("{file}: {reason}")]
    BoundaryCard {
        /// The JSON file.
        file: String,
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A boundary without a JSON beside it is named `ATTRIBUTE_SPACE.npy`.
    #[error(
        "{file}: without a JSON file beside it a boundary is named ATTRIBUTE_SPACE.npy, with SPACE one of z, w, w+ \
         (smile_w.npy); rename it, or write {json} with its \"attribute\" and \"space\""
    )]
    UnnamedBoundary {
        /// The boundary file.
        file: String,
        /// The JSON that would say it.
        json: String,
    },
    /// A boundary's shape does not fit its space.
    #[error("{file}: a boundary in {space} has shape {expected}, found {found:?}")]
    BoundaryShape {
        /// The boundary file.
        file: String,
        /// The space it says it is in.
        space: LatentSpace,
        /// Shapes that would do.
        expected: &'static str,
        /// The shape found.
        found: Vec<usize>,
    },
    /// Two files hold the boundary of one attribute in one space.
    #[error("{file}: a second boundary of {attribute:?} in {space}, the first is in {first}; remove one")]
    TwiceABoundary {
        /// The second file.
        file: String,
        /// The first file.
        first: String,
        /// Their attribute.
        attribute: String,
        /// Their space.
        space: LatentSpace,
    },
    /// The numbers themselves are no boundary.
    #[error("{file}: {reason}")]
    Latent {
        /// The file.
        file: String,
        /// What is wrong with the numbers.
        reason: LatentError,
    },
}

/// Why bytes are not an array that can be taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NpyError {
    /// It does not begin as a `.npy` file does.
    #[error(
        "no .npy file: it must begin with \\x93NUMPY, a version 1 to 3, and a header; save it with numpy.save"
    )]
    NotNpy,
    /// The header is not the dictionary that NumPy writes.
    #[error("the .npy header {header:?} cannot be understood; save the array again with numpy.save")]
    Header {
        /// The header's beginning.
        header: String,
    },
    /// An element type that is no floating-point number.
    #[error(
        "the array's element type is {descr:?}; expected '<f8', '<f4' or '<f2' (pickled objects are refused): \
         save array.astype('float32')"
    )]
    ElementType {
        /// NumPy's name of the type.
        descr: String,
    },
    /// More or fewer bytes than the shape needs.
    #[error("an array of shape {shape:?} takes {expected} bytes after the header, found {found}")]
    Length {
        /// The shape in the header.
        shape: Vec<usize>,
        /// Bytes that it takes.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
}
