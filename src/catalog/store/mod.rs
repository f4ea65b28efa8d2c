//! The store: what changes while services run, shared by several of them.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a store of files can do | [`Blobs`] |
//! | where a store is | [`StoreAddress`] |
//! | a store in a folder | [`Directory`] |
//! | a store in a bucket of S3, Google Cloud Storage or Azure | `bucket` |
//! | the boundaries in a store, and what other services have changed | [`Store`] |
//! | the files of jobs in a store | [`JobFiles`] |
//! | the published models in a store | [`ModelStore`], `model_document` |
//! | how models are published and withdrawn | [`ModelPublisher`], `publication_lock` |
//! | models of a store in a folder of this machine | [`ModelDownloads`] |
//! | a write that waits while the store fails | `patient_write` |
//! | the JSON of a boundary in a store | `record` |
//!
//! It knows files and their versions. It never knows when changes of other services are looked for.

mod address;
mod blobs;
mod boundary_store;
#[cfg(feature = "object-store")]
mod bucket;
mod directory;
mod job_files;
mod model_document;
mod model_downloads;
mod model_publisher;
mod model_store;
mod patient_write;
mod publication_lock;
mod record;

pub use address::StoreAddress;
pub use blobs::{Blob, Blobs, Version};
pub use boundary_store::{Store, StoredChange};
pub use directory::Directory;
pub use job_files::{JobFiles, ReportFormat};
pub use model_document::ModelDocument;
pub use model_downloads::{Download, ModelDownloads};
pub use model_publisher::ModelPublisher;
pub use model_store::ModelStore;
pub(crate) use patient_write::create_patiently;
pub use record::StoreEntry;
