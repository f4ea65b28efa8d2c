//! The folder of references: files of the original programs, which are too large for the repository or not ours to give.
//!
//! It is `../shared/reference`, or the folder that `FACEPLANE_REFERENCE` names.

use std::path::{Path, PathBuf};

/// A folder of references. If it does not exist, the test says so, and passes without it.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference");
    let folder = std::env::var_os("FACEPLANE_REFERENCE")
        .map_or(beside, PathBuf::from)
        .join(name);
    if !folder.is_dir() {
        eprintln!(
            "skipped: no folder {}; set FACEPLANE_REFERENCE to the folder of references",
            folder.display()
        );
        return None;
    }
    Some(folder)
}
