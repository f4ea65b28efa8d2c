//! Files on disk: model folders, boundaries, the store, and the bundled model.
//!
//! It knows the formats of these files. It never opens an ONNX graph and never sees a request.
//!
//! | to find | look in |
//! | --- | --- |
//! | a model folder, on disk or compiled in | [`ModelFolder`] |
//! | all files of a model, read and checked | [`ModelFiles`] |
//! | whether a model folder has changed | [`FolderSnapshot`] |
//! | an ONNX file with its files of weights | [`Graph`]; read again: [`GraphSource`] |
//! | the keys of `manifest.toml`, and their checks | [`Manifest`] |
//! | a boundary file and its JSON | [`BoundaryMetadata`], [`write_boundary`] |
//! | a folder of boundaries, under the names that they come with | [`read_boundaries`] |
//! | what changes while services run, shared by several | [`Store`] |
//! | arrays in NumPy's format | [`NpyArray`] |
//! | sampled codes and their scores in one file | [`ScoredSamples`] |
//! | arrays as one file that is written while they are made | [`NpzStream`] |
//! | the array of a file of NumPy or PyTorch | [`read_array`] |
//! | folders and buckets of batch work | [`BatchPlace`] |
//! | a new folder that appears whole | [`NewFolder`] |
//! | how files change without a reader seeing a part | `atomic_write` |

mod array_file;
mod atomic_write;
mod batch;
mod boundary_file;
mod boundary_folder;
mod boundary_name;
mod bundled;
mod error;
mod folder_snapshot;
mod gradient_source;
mod graph_file;
mod graph_source;
mod manifest;
mod model_files;
mod model_folder;
mod new_folder;
mod npy;
mod npy_elements;
mod npz_stream;
mod parse_toml;
mod scored_samples;
mod store;

pub use crate::checkpoint::hexadecimal;
pub use array_file::read_array;
pub(crate) use atomic_write::{create_folder, write_atomically};
pub use batch::{
    BatchBucket, BatchFolder, BatchFolderError, BatchPart, BatchPlace, BatchRecipe, PictureFile, part_files,
    part_keys,
};
pub(crate) use boundary_file::escaped_attribute;
pub use boundary_file::{
    AccuracyMetadata, BOUNDARY_EXTENSIONS, BoundaryMetadata, boundary_files, check_writable, write_boundary,
};
pub use boundary_folder::{BoundariesEntry, read_boundaries};
pub use error::{ArrayError, CatalogError, NpyError};
pub use folder_snapshot::FolderSnapshot;
pub use gradient_source::{FeatureNetwork, GradientSource};
pub use graph_file::Graph;
pub use graph_source::GraphSource;
pub use manifest::{
    Activation, AlignmentEntry, Bins, ChannelValues, Channels, ClassifierEntry, Coordinates,
    DigitalSourceType, EncoderEntry, GeneratorEntry, GradientEntry, IdentityEntry, InputEntry, InputSize,
    LandmarkPoint, LandmarkUnit, LandmarksEntry, Layout, Manifest, OutputEntry, OutputKind, ProvenanceEntry,
    TruncationEntry,
};
pub use model_files::{ClassifierFiles, ModelFiles};
pub use model_folder::ModelFolder;
pub use new_folder::{NewFolder, remove_file, write_file};
pub use npy::NpyArray;
pub use npz_stream::NpzStream;
pub use parse_toml::parse_toml;
pub use scored_samples::{ScoredSamples, ScoredSamplesError};
pub(crate) use store::create_patiently;
pub use store::{
    Blob, Blobs, Directory, Download, JobFiles, ModelDocument, ModelDownloads, ModelPublisher, ModelStore,
    ReportFormat, Store, StoreAddress, StoreEntry, StoredChange, Version,
};
