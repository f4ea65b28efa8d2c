//! What lies on disk: model folders, their manifests, boundary files, the store of changed ones, and the model that is compiled in.

mod atomic_write;
mod boundary_file;
mod bundled;
mod error;
mod folder;
mod manifest;
mod npy;
mod package;
mod store;
mod toml_text;

pub use atomic_write::write_whole;
pub use boundary_file::{BoundaryCard, check_writable, write_boundary};
pub use error::{CatalogError, NpyError};
pub use folder::ModelFolder;
pub use manifest::{
    AlignmentEntry, ClassifierEntry, EncoderEntry, Generator, GradientEntry, ImageEntry, Manifest,
    OutputEntry, ScoreKind, Truncation,
};
pub use npy::NpyArray;
pub use package::{ClassifierPackage, Graph, ModelPackage};
pub use store::{Kept, Store};
pub use toml_text::parse_toml;
