//! The store: what changes while services run, shared by several of them.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a store of files can do | [`Blobs`] |
//! | a store in a folder | [`Directory`] |
//! | the boundaries in a store, and what other services have changed | [`Store`] |
//! | the JSON of a boundary in a store | `record` |
//!
//! It knows files and their versions. It never knows when changes of other services are looked for.

mod blobs;
mod boundary_store;
mod directory;
mod record;

pub use blobs::{Blob, Blobs, Version};
pub use boundary_store::{Store, StoredChange};
pub use directory::Directory;
pub use record::StoreEntry;
