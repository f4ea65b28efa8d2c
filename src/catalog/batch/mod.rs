//! Folders and buckets of batch work: a recipe, a part for each chunk of seeds, and pictures.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a batch makes, and how two of them differ | `recipe` |
//! | the arrays of a chunk | `part` |
//! | the names of the files | `keys`, `picture_file` |
//! | how a shard writes the files of a folder | `folder` |
//! | the same in a bucket | `bucket` |
//! | which of the two a batch has | `place` |
//! | why a folder is refused | `error` |

mod bucket;
mod error;
mod folder;
mod keys;
mod part;
mod picture_file;
mod place;
mod recipe;

pub use bucket::{BatchBucket, part_keys};
pub use error::BatchFolderError;
pub use folder::{BatchFolder, part_files};
pub use part::BatchPart;
pub use picture_file::PictureFile;
pub use place::BatchPlace;
pub use recipe::BatchRecipe;
