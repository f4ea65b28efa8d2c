//! The folder for the models of the store.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Config;

/// The folder for the models of the store. A temporary one is removed at the end.
pub(super) struct DownloadFolder {
    path: PathBuf,
    is_temporary: bool,
}

impl DownloadFolder {
    /// The folder of the settings, or a temporary one, which only a service with a store needs. A temporary folder that cannot be created is no error before a model is
    /// downloaded: the root of a container may be read-only.
    pub(super) fn new(config: &Config) -> io::Result<Self> {
        if config.downloads.is_some() || config.store.is_none() {
            return Ok(Self {
                path: config.downloads.clone().unwrap_or_default(),
                is_temporary: false,
            });
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("faceplane-models-{}-{}", std::process::id(), now.as_nanos());
        let path = std::env::temp_dir().join(name);
        // Nobody else may write into it, and nobody else has made it.
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Self {
                path,
                is_temporary: true,
            }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DownloadFolder {
    fn drop(&mut self) {
        if self.is_temporary {
            // The operating system removes what is left.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
