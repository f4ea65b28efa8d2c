//! The errors of files on disk. Each message begins with the file.

use crate::checkpoint::Fault;
use crate::latent::{LatentError, LatentSpace};

/// A file or a folder that cannot be used. The message says what was found, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// A file is not the one that the model was loaded from.
    #[error(
        "{file}: found other content than when the model was loaded; load the model again, or bring the file back"
    )]
    Changed {
        /// The file.
        file: String,
    },
    /// The file cannot be written or removed.
    #[error("{file}: cannot be written: {reason}")]
    Unwritable {
        /// The file.
        file: String,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// There is something where a new folder is to be written.
    #[error("{folder}: exists already; choose another folder, or move this one away")]
    FolderExists {
        /// The folder.
        folder: String,
    },
    /// The address of the store cannot be used.
    #[error("{url}: {reason}")]
    StoreAddress {
        /// The URL.
        url: String,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// Another process keeps the lock of the store.
    #[error(
        "{file}: another process has kept this lock for {seconds} s, expected some milliseconds; end that process: it hangs, or it is a \
         service of a version that shares no store"
    )]
    StoreLocked {
        /// The file of the lock.
        file: String,
        /// The wait, in seconds.
        seconds: u64,
    },
    /// Another service has changed a file of the store.
    #[error("{file}: another service has changed it; read it, and repeat the change")]
    StoreChanged {
        /// The file.
        file: String,
    },
    /// The store fails or does not answer. A change may or may not have been made.
    #[error("{store}: {reason}")]
    StoreUnavailable {
        /// The store, or a file of it.
        store: String,
        /// The error.
        reason: String,
    },
    /// A model of the store, or a part of its content, is wrong or missing.
    #[error("{file}: {reason}")]
    StoredModel {
        /// The file of the store.
        file: String,
        /// What was found, what was expected, and what to do.
        reason: String,
    },
    /// The manifest is not TOML, or has an unknown key, or lacks a key. `onnx/README.md` describes all keys.
    #[error("{file}: {reason}")]
    Manifest {
        /// The manifest.
        file: String,
        /// The error, with the line.
        reason: String,
    },
    /// A value is wrong, whatever the other files have.
    #[error("{file}: found {found} for {key}; expected {expected}")]
    Entry {
        /// The file.
        file: String,
        /// The key, with its table.
        key: String,
        /// The value.
        found: String,
        /// The values that are valid.
        expected: String,
    },
    /// The file is no array.
    #[error("{file}: {reason}")]
    Array {
        /// The file.
        file: String,
        /// The error.
        reason: ArrayError,
    },
    /// The JSON of a boundary is wrong.
    #[error("{file}: {reason}")]
    BoundaryMetadata {
        /// The JSON file.
        file: String,
        /// The error, with line and column.
        reason: String,
    },
    /// Neither the name of a boundary file nor a JSON file says the attribute.
    #[error(
        "{file}: found no attribute of this boundary; expected it in the file's name, such as smile_w.npy: rename the file, or \
         write {json} with \"attribute\" and \"space\""
    )]
    UnnamedBoundary {
        /// The boundary file.
        file: String,
        /// The JSON file that is missing.
        json: String,
    },
    /// A boundary file says its space in no way, and its shape fits both z and w.
    #[error(
        "{file}: found a boundary of shape {shape:?} that does not say whether it is in z or in w: rename it to \
         {names}, write {json} with \"space\", or set space in [boundaries] of the manifest for \
         all such files"
    )]
    UnknownBoundarySpace {
        /// The boundary file.
        file: String,
        /// The JSON file that could say it.
        json: String,
        /// The names that would say it.
        names: String,
        /// The shape of the array.
        shape: Vec<usize>,
    },
    /// The shape of a boundary does not fit its space.
    #[error(
        "{file}: found the shape {found:?}; expected {expected} for a boundary in {space}: correct the space or the array"
    )]
    BoundaryShape {
        /// The boundary file.
        file: String,
        /// The space of the boundary.
        space: LatentSpace,
        /// The shapes that are valid.
        expected: &'static str,
        /// The shape of the array.
        found: Vec<usize>,
    },
    /// Two files have a boundary of the same attribute in the same space.
    #[error(
        "{file}: found a second boundary of {attribute:?} in {space}; expected only the one in {first}: remove one of them"
    )]
    DuplicateBoundary {
        /// The second file.
        file: String,
        /// The first file.
        first: String,
        /// The attribute.
        attribute: String,
        /// The space.
        space: LatentSpace,
    },
    /// Two files have attributes with names that differ by case only.
    #[error(
        "{file}: found the attribute {attribute:?} beside {known:?} of {first}; expected names that differ by more than case: \
         rename one of them"
    )]
    SimilarAttribute {
        /// The second file.
        file: String,
        /// The first file.
        first: String,
        /// The attribute of the second file.
        attribute: String,
        /// The attribute of the first file.
        known: String,
    },
    /// The values are not a boundary.
    #[error("{file}: {reason}")]
    Latent {
        /// The file.
        file: String,
        /// The error.
        reason: LatentError,
    },
}

impl CatalogError {
    /// Whether the store failed, so that the same may succeed later.
    pub(crate) fn is_of_failing_store(&self) -> bool {
        matches!(
            self,
            Self::StoreUnavailable { .. } | Self::StoreLocked { .. } | Self::Unreadable { .. }
        )
    }

    /// What to do about a change that failed with this error: a store that does not answer may have made it. May be empty.
    pub(crate) fn advice_on_change(&self) -> &'static str {
        match self {
            Self::StoreUnavailable { .. } => {
                "; if the store made it nevertheless, all services show it within seconds: look before you repeat it"
            }
            _ => "",
        }
    }
}

/// Why a file is not the array that is expected.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// The `.npy` file is wrong.
    #[error(transparent)]
    Npy(#[from] NpyError),
    /// The file has another format.
    #[error("found {found}; expected an array: a file of NumPy (.npy, .npz), PyTorch (.pt) or safetensors")]
    Foreign {
        /// What it is, as far as its first bytes say.
        found: String,
    },
    /// The file is one of these formats, and wrong.
    #[error(transparent)]
    File(Fault),
    /// The file holds no array.
    #[error("found a file without an array; expected one array")]
    Missing,
    /// The file holds several arrays.
    #[error("found {count} arrays ({names}); expected one: save the one that you mean in a file of its own")]
    Several {
        /// The number of arrays.
        count: usize,
        /// Their places in the file.
        names: String,
    },
    /// The array is larger than any that is expected.
    #[error("found an array of shape {shape:?}; expected at most {most} numbers")]
    TooLarge {
        /// The shape of the array.
        shape: Vec<usize>,
        /// The limit.
        most: usize,
    },
}

/// Why bytes are not an array in NumPy's format that can be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NpyError {
    /// The bytes do not begin like a `.npy` file.
    #[error(
        "found bytes that are no .npy file; expected \\x93NUMPY, a version from 1 to 3, and a header: save the array with \
         numpy.save"
    )]
    NotNpy,
    /// The header is not the dictionary that NumPy writes.
    #[error(
        "found the .npy header {header:?}; expected a dictionary as NumPy writes it: save the array with numpy.save"
    )]
    Header {
        /// The beginning of the header.
        header: String,
    },
    /// The elements are not real numbers.
    #[error(
        "found the element type {descr:?}; expected floating-point numbers, integers or booleans, and no pickled objects: \
         save array.astype('float32')"
    )]
    ElementType {
        /// NumPy's name of the type.
        descr: String,
    },
    /// The number of bytes does not fit the shape.
    #[error(
        "found {found} bytes after the header; expected {expected} for an array of shape {shape:?}: save the array again"
    )]
    Length {
        /// The shape in the header.
        shape: Vec<usize>,
        /// Bytes that the shape needs.
        expected: usize,
        /// Bytes after the header.
        found: usize,
    },
}
