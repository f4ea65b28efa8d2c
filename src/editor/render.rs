//! From codes to faces: mapping, synthesis, pixels, scores.

use std::collections::BTreeMap;

use ndarray::{Array3, Axis};
use tokio::task::JoinHandle;

use super::{EditorError, Face, Model};
use crate::engine::{Admission, Images, SynthesisInput};
use crate::imaging::{ImagingError, Picture};
use crate::latent::{LatentCode, LatentSpace, Truncation};

impl Model {
    /// Draws codes, at most the generator's largest batch at a time, so that other requests' images take turns with
    /// these; z codes are mapped, with `truncation`, on the way.
    pub(super) async fn render(
        &self,
        admission: &mut Admission,
        codes: Vec<LatentCode>,
        truncation: Option<Truncation>,
        with_scores: bool,
    ) -> Result<Vec<Face>, EditorError> {
        let mut pictures = Vec::new();
        let mut scores = Vec::with_capacity(codes.len());
        for part in codes.chunks(self.shape().largest_batch) {
            let input = self.synthesis_input(admission, part, truncation).await?;
            let images = admission.synthesize(input).await?;
            if with_scores {
                scores.extend(self.scores(admission, &images).await?);
            }
            pictures.push(self.pictures(images));
        }
        let mut drawn = Vec::with_capacity(codes.len());
        for part in pictures {
            drawn.extend(part.await.expect("converting pixels does not panic")?);
        }
        scores.resize_with(codes.len(), BTreeMap::new);
        let face = |((code, picture), scores)| Face {
            seed: None,
            distances: self.distances(&code),
            code,
            picture,
            scores,
        };
        Ok(codes.into_iter().zip(drawn).zip(scores).map(face).collect())
    }

    /// What the synthesis graph takes for codes of one space: `[batch, rows, dim]`.
    pub(super) async fn synthesis_input(
        &self,
        admission: &mut Admission,
        codes: &[LatentCode],
        truncation: Option<Truncation>,
    ) -> Result<Array3<f32>, EditorError> {
        let synthesis = self.shape().synthesis;
        let in_z = codes.first().is_some_and(|code| code.space() == LatentSpace::Z);
        let mapped = if in_z && synthesis != SynthesisInput::Z {
            Some(self.map(admission, codes, truncation).await?)
        } else {
            None
        };
        let codes = mapped.as_deref().unwrap_or(codes);
        let rows = if let SynthesisInput::WPlus { layers } = synthesis {
            layers
        } else {
            1
        };
        let mut input = Array3::zeros((codes.len(), rows, self.shape().w_dim));
        for (mut row, code) in input.outer_iter_mut().zip(codes) {
            let repeated = code.values().broadcast(row.raw_dim());
            row.assign(&repeated.expect("a code has one row or as many as synthesis takes"));
        }
        Ok(input)
    }

    async fn scores(
        &self,
        admission: &mut Admission,
        images: &Images,
    ) -> Result<Vec<BTreeMap<String, f32>>, EditorError> {
        let scores = admission.score(images).await?;
        let attributes = self.outputs().iter().map(|output| output.attribute.clone());
        Ok(scores
            .outer_iter()
            .map(|row| attributes.clone().zip(row.iter().copied()).collect())
            .collect())
    }

    /// Pixels, made off the async threads while the next part is drawn.
    fn pictures(&self, images: Images) -> JoinHandle<Result<Vec<Picture>, ImagingError>> {
        let range = self.image_range;
        tokio::task::spawn_blocking(move || {
            let picture = |image| Picture::from_tensor(image, range);
            images.axis_iter(Axis(0)).map(picture).collect()
        })
    }
}
