//! One face of a batch on its way to the disk, and the part of a chunk.

use ndarray::{Array2, Array3};

use super::error::BatchError;
use crate::api::BatchWords;
use crate::catalog::{BatchPart, BatchPlace, OutputEntry, PictureFile, ScoredSamples};
use crate::editor::{BatchFace, Model};
use crate::latent::{LatentCode, SeedChunk};

/// A face with its picture on the disk.
pub(super) struct Row {
    face: BatchFace,
    pub(super) picture: Option<PictureFile>,
}

impl Row {
    /// Encodes and writes the picture of a face, if it has one.
    pub(super) fn write(
        mut face: BatchFace,
        words: &BatchWords,
        model: &Model,
        place: &BatchPlace,
        ending: &str,
    ) -> Result<Self, BatchError> {
        let mut picture = None;
        if let Some(image) = face.image.take() {
            let file = PictureFile::new(face.seed, face.position, ending);
            place.add_picture(&file, &words.encode(model, &face, &image)?)?;
            picture = Some(file);
        }
        Ok(Self { face, picture })
    }
}

/// The arrays of a chunk. `example` has the space and the shape of its codes.
pub(super) fn part(
    chunk: SeedChunk,
    rows: &[Row],
    example: &LatentCode,
    outputs: &[OutputEntry],
    digest: &str,
) -> BatchPart {
    let (layers, dim) = example.values().dim();
    let faces = rows.iter().map(|row| &row.face);
    let codes = faces.clone().flat_map(|face| face.code.values().iter().copied());
    let scores = faces.clone().flat_map(|face| face.scores.iter().copied());
    let scores = Array2::from_shape_vec((rows.len(), outputs.len()), scores.collect());
    let codes = Array3::from_shape_vec((rows.len(), layers, dim), codes.collect());
    BatchPart {
        samples: ScoredSamples {
            codes: codes
                .expect("all codes have the shape of the example")
                .into_shared(),
            scores: scores
                .expect("each face has a score of each output")
                .into_shared(),
            attributes: outputs.iter().map(|output| output.attribute.clone()).collect(),
            thresholds: outputs.iter().map(|output| output.threshold).collect(),
            space: example.space(),
            seed: chunk.start(),
        },
        seeds: faces.clone().map(|face| face.seed).collect(),
        positions: faces.clone().filter_map(|face| face.position).collect(),
        similarities: faces.filter_map(|face| face.similarity).collect(),
        digest: digest.to_owned(),
    }
}
