//! From codes to faces: mapping, synthesis, pixels, scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array3, Array4, Axis};

use super::{EditorError, Face, Model};
use crate::engine::SynthesisInput;
use crate::imaging::{ImagingError, Picture};
use crate::latent::{LatentCode, LatentSpace, Truncation};

impl Model {
    /// Draws codes, in runs of the generator's largest batch; z codes are mapped, with `truncation`, on the way.
    pub(super) async fn render(
        &self,
        codes: Vec<LatentCode>,
        truncation: Option<Truncation>,
        with_scores: bool,
    ) -> Result<Vec<Face>, EditorError> {
        let mut faces = Vec::with_capacity(codes.len());
        for part in codes.chunks(self.shape().largest_batch) {
            let images = Arc::new(
                self.engine
                    .synthesize(self.synthesis_input(part, truncation).await?)
                    .await?,
            );
            let scores = if with_scores {
                self.scores(&images).await?
            } else {
                vec![BTreeMap::new(); part.len()]
            };
            let pictures = self.pictures(images).await?;
            for ((code, picture), scores) in part.iter().zip(pictures).zip(scores) {
                let distances = self.distances(code);
                faces.push(Face {
                    seed: None,
                    code: code.clone(),
                    picture,
                    distances,
                    scores,
                });
            }
        }
        Ok(faces)
    }

    /// What the synthesis graph takes for codes of one space: `[batch, rows, dim]`.
    async fn synthesis_input(
        &self,
        codes: &[LatentCode],
        truncation: Option<Truncation>,
    ) -> Result<Array3<f32>, EditorError> {
        let synthesis = self.shape().synthesis;
        let in_z = codes.first().is_some_and(|code| code.space() == LatentSpace::Z);
        let mapped = if in_z && synthesis != SynthesisInput::Z {
            Some(self.map(codes, truncation).await?)
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

    async fn scores(&self, images: &Arc<Array4<f32>>) -> Result<Vec<BTreeMap<String, f32>>, EditorError> {
        let scores = self.engine.score(Arc::clone(images)).await?;
        let attributes = self.outputs().iter().map(|output| output.attribute.clone());
        Ok(scores
            .outer_iter()
            .map(|row| attributes.clone().zip(row.iter().copied()).collect())
            .collect())
    }

    /// Pixels, made off the async threads.
    async fn pictures(&self, images: Arc<Array4<f32>>) -> Result<Vec<Picture>, EditorError> {
        let range = self.image_range;
        let convert = move || {
            images
                .axis_iter(Axis(0))
                .map(|image| Picture::from_tensor(image, range))
                .collect()
        };
        let pictures: Result<_, ImagingError> = tokio::task::spawn_blocking(convert)
            .await
            .expect("converting pixels does not panic");
        Ok(pictures?)
    }
}
