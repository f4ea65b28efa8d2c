//! What every model is loaded with: ONNX Runtime, the settings of networks, and the metrics.

use crate::catalog::{FolderSnapshot, ModelFiles, ModelFolder};
use crate::editor::model::of_folder;
use crate::editor::model_source::ModelSource;
use crate::editor::{LoadError, Model};
use crate::engine::{self, EngineOptions, Runtime};
use crate::metrics::Metrics;

/// Loads models, all with the same settings. Cheap to clone.
#[derive(Clone)]
pub struct ModelOpener {
    /// ONNX Runtime.
    pub runtime: Runtime,
    /// The settings of the networks.
    pub options: EngineOptions,
    /// Gets the metrics of each model.
    pub metrics: Metrics,
}

impl ModelOpener {
    /// Loads the model of a folder when the service starts.
    ///
    /// # Errors
    /// [`LoadError`] for the first file that is wrong.
    pub fn load(&self, folder: ModelFolder) -> Result<(ModelSource, Model), LoadError> {
        let read = FolderSnapshot::of(&folder);
        let model = self.open(ModelFiles::read(&folder)?)?;
        Ok((ModelSource::of(folder, read, model.name()), model))
    }

    /// Opens the networks of a folder that was read.
    pub(crate) fn open(&self, files: ModelFiles) -> Result<Model, LoadError> {
        let engine = engine::open(&self.runtime, &files, self.options, &self.metrics)?;
        of_folder(files, engine)
    }
}
