//! A new model folder for an imported generator.

use std::path::Path;

use super::ImportCommandError;
use super::addition::Addition;
use super::manifest::{self, MAPPING, SYNTHESIS, W_AVG};
use super::trial::Trial;
use crate::catalog::{NewFolder, NpyArray};
use crate::cli::progress_line::ProgressLine;
use crate::editor::LoadError;
use crate::engine::{EngineError, Runtime};
use crate::importing::Generator;

/// A generator that becomes a model folder.
pub(super) struct NewModel<'a> {
    pub(super) name: &'a str,
    /// The file that it comes from.
    pub(super) file: &'a Path,
    pub(super) generator: &'a Generator,
}

impl NewModel<'_> {
    /// Writes the graphs, the average w code, the additions and the manifest into `folder`, and opens it as the service does. Returns
    /// the trial, and why the model has no gradient graph if it has none.
    ///
    /// # Errors
    /// [`ImportCommandError`] if a file cannot be written, or the folder cannot be opened.
    pub(super) fn write(
        &self,
        folder: &NewFolder,
        additions: &[Addition],
        runtime: &Runtime,
        line: &mut ProgressLine,
    ) -> Result<(Trial, Option<String>), ImportCommandError> {
        let Self { generator, .. } = *self;
        line.show("writing the graphs");
        if let Some(mapping) = &generator.mapping {
            folder.write(MAPPING, &mapping.to_bytes())?;
        }
        folder.write(SYNTHESIS, &generator.synthesis.to_bytes())?;
        for (name, content) in additions.iter().flat_map(|addition| &addition.files) {
            folder.write(name, content)?;
        }
        let w_avg = match (&generator.w_avg, &generator.mapping) {
            (Some(w_avg), _) => Some(w_avg.to_vec()),
            (None, None) => None,
            (None, Some(_)) => {
                line.show("computing the average w code, which the file does not have");
                folder.write("manifest.toml", self.manifest(false, false).as_bytes())?;
                Some(Trial::open(folder.path(), runtime)?.average_w()?)
            }
        };
        if let Some(w_avg) = &w_avg {
            folder.write(W_AVG, &NpyArray::of_row(w_avg).write_f4())?;
        }
        line.show("opening the folder as the service does");
        let open = |has_gradient| {
            let mut text = self.manifest(w_avg.is_some(), has_gradient);
            text.extend(additions.iter().map(|addition| &*addition.text));
            folder.write("manifest.toml", text.as_bytes())?;
            Trial::open(folder.path(), runtime)
        };
        match open(true) {
            // The gradient graph is derived when the folder is opened.
            Err(ImportCommandError::Load(LoadError::Engine(EngineError::Gradient { reason, .. }))) => {
                Ok((open(false)?, Some(reason)))
            }
            opened => Ok((opened?, None)),
        }
    }

    fn manifest(&self, has_w_avg: bool, has_gradient: bool) -> String {
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        manifest::of_generator(self.name, self.generator, &file, has_w_avg, has_gradient)
    }
}
