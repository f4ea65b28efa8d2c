//! Folders of batch work: a recipe, a part for each chunk of seeds, and pictures.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a batch makes, and how two of them differ | `recipe` |
//! | the arrays of a chunk | `part` |
//! | the files of a folder, and how a shard writes them | `folder` |
//! | why a folder is refused | `error` |

mod error;
mod folder;
mod part;
mod recipe;

pub use error::BatchFolderError;
pub use folder::{BatchFolder, PictureFile, part_files};
pub use part::BatchPart;
pub use recipe::BatchRecipe;
