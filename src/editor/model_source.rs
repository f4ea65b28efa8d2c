//! A model folder of the service, and what was loaded from it.

use crate::catalog::{FolderSnapshot, ModelFolder};

/// A model folder of the service, and what was loaded from it.
#[derive(Clone)]
pub struct ModelSource {
    /// The folder.
    pub(crate) folder: ModelFolder,
    /// The name of the model in the store, if the folder is a download of it.
    pub(crate) stored: Option<String>,
    /// The name of the model that was loaded from it last. `None` before the first.
    pub(crate) model: Option<String>,
    /// Its files when they were read last.
    pub(crate) read: FolderSnapshot,
    /// Its files when they were looked at last.
    pub(crate) seen: FolderSnapshot,
    /// Whether its model was dropped, and stays so until it is asked for.
    pub(crate) is_dropped: bool,
    /// Whether its files were wrong when they were read last.
    pub(crate) has_failed: bool,
}

impl ModelSource {
    /// A folder from which nothing was loaded yet.
    pub(crate) fn new(folder: ModelFolder) -> Self {
        Self {
            folder,
            stored: None,
            model: None,
            read: FolderSnapshot::default(),
            seen: FolderSnapshot::default(),
            is_dropped: false,
            has_failed: false,
        }
    }

    /// A folder from which `model` was loaded, when its files were as in `read`.
    pub(crate) fn of(folder: ModelFolder, read: FolderSnapshot, model: &str) -> Self {
        Self {
            model: Some(model.to_owned()),
            seen: read.clone(),
            read,
            ..Self::new(folder)
        }
    }

    /// The same folder, as a download of the model `name` in the store.
    #[must_use]
    pub fn of_store(self, name: &str) -> Self {
        let stored = Some(name.to_owned());
        Self { stored, ..self }
    }

    /// Whether the folder is a download of the model `name` in the store.
    pub(crate) fn is_of_store(&self, name: &str) -> bool {
        self.stored.as_deref() == Some(name)
    }

    /// The name of the model that is loaded from it now.
    pub(crate) fn loaded(&self) -> Option<&str> {
        self.model.as_deref().filter(|_| !self.is_dropped)
    }

    /// Looks at the files. Returns whether they have changed since they were read, and were the same when they were looked at
    /// before: a folder that is being copied is not read half.
    pub(crate) fn has_settled_change(&mut self) -> bool {
        let now = FolderSnapshot::of(&self.folder);
        let is_quiet = now == self.seen;
        self.seen = now;
        is_quiet && self.seen != self.read && self.seen.has_manifest()
    }

    /// Whether there may be something to load: the files have changed, were wrong, or their model is not loaded.
    pub(crate) fn needs_reload(&self) -> bool {
        self.has_failed || self.loaded().is_none() || FolderSnapshot::of(&self.folder) != self.read
    }
}
