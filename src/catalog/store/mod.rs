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
mod record;

pub use address::StoreAddress;
pub use blobs::{Blob, Blobs, Version};
pub use boundary_store::{Store, StoredChange};
pub use directory::Directory;
pub use job_files::{JobFiles, ReportFormat};
pub use record::StoreEntry;
