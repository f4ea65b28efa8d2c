//! The trial of a model folder: it is opened with the checks of the service, and some faces are synthesized.

use std::path::Path;

use super::ImportCommandError;
use crate::catalog::ModelFolder;
use crate::cli::alone::{async_runtime, open};
use crate::editor::{FaceSource, Model, SampleRequest, TruncationChoice, average_w, sample};
use crate::engine::{Replicas, Runtime};
use crate::imaging::{FileMetadata, PngCompression, SheetLayout, arrange, encode_png};

/// Faces on the sheet of samples.
const FACES: u32 = 4;
/// Codes in the mean w code of a generator without one.
const AVERAGED: u32 = 10_000;

/// A model folder, opened as the service opens it.
pub(super) struct Trial {
    model: Model,
}

impl Trial {
    /// Opens the folder.
    ///
    /// # Errors
    /// [`ImportCommandError::Load`] for the first file that is wrong.
    pub(super) fn open(folder: &Path, runtime: &Runtime) -> Result<Self, ImportCommandError> {
        let folder = ModelFolder::Disk(folder.to_owned());
        Ok(Self {
            model: open(&folder, runtime, FACES, Replicas::Count(1))?,
        })
    }

    /// The mean w code of many seeds.
    ///
    /// # Errors
    /// [`ImportCommandError::Editor`] if the mapping fails.
    pub(super) fn average_w(&self) -> Result<Vec<f32>, ImportCommandError> {
        Ok(async_runtime()?.block_on(average_w(&self.model, AVERAGED))?)
    }

    /// The faces of the first seeds on one sheet, as a PNG.
    ///
    /// # Errors
    /// [`ImportCommandError::Editor`] if a network fails, or the images have values that are not finite.
    pub(super) fn samples(&self) -> Result<Vec<u8>, ImportCommandError> {
        let request = SampleRequest {
            sources: (0..FACES).map(FaceSource::Seed).collect(),
            space: None,
            truncation: TruncationChoice::default(),
            with_scores: false,
        };
        let sampled = async_runtime()?.block_on(sample(&self.model, &request))?;
        let images: Vec<_> = sampled.faces.into_iter().map(|face| face.image).collect();
        let sheet = arrange(&images, SheetLayout::Grid)?;
        let provenance = self.model.generator().provenance;
        let mark = FileMetadata::mark(provenance.digital_source_type.term());
        Ok(encode_png(&sheet, PngCompression::Fast, &mark)?)
    }
}
