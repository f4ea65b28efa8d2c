//! From codes to faces: mapping, synthesis, pixels, scores.

use std::collections::BTreeMap;

use ndarray::{Array3, Axis};
use tokio::task::JoinHandle;

use crate::editor::{EditorError, Face, Model};
use crate::engine::{Admission, Images, SynthesisInput};
use crate::imaging::{ImagingError, Picture};
use crate::latent::{LatentCode, LatentSpace, Truncation};

/// Values of images whose pixels are made as soon as they are drawn, while they are in the processor's caches: one picture of
/// 256×256, in a fifth of a millisecond.
const FEW: usize = 3 * 256 * 256;

/// Pictures that are there, or will be.
enum Pixels {
    Made(Result<Vec<Picture>, ImagingError>),
    UnderWay(JoinHandle<Result<Vec<Picture>, ImagingError>>),
}

/// What is found out about faces while they are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RenderOutputs {
    /// Nothing.
    Nothing,
    /// The classifiers' scores.
    Scores,
    /// These, and whose faces they are.
    Identity,
}

impl RenderOutputs {
    /// With scores, or without.
    pub(crate) fn scores(wanted: bool) -> Self {
        if wanted { Self::Scores } else { Self::Nothing }
    }
}

impl Model {
    /// Draws codes; those in z are mapped, with `truncation`, on the way.
    pub(crate) async fn render(
        &self,
        admission: &mut Admission,
        codes: Vec<LatentCode>,
        truncation: Option<Truncation>,
        scrutiny: RenderOutputs,
    ) -> Result<Vec<Face>, EditorError> {
        let range = self.image_range;
        let pixels = move |images: &Images| {
            let picture = |image| Picture::from_tensor(image, range);
            images.axis_iter(Axis(0)).map(picture).collect()
        };
        let mut pictures = Vec::new();
        let (mut scores, mut embeddings) = (Vec::new(), Vec::new());
        let input = self.synthesis_input(admission, &codes, truncation).await?;
        let at_once = self.engine.synthesizes_on_cpu();
        let mut drawing = admission.draw(input, move |images| {
            let few = (at_once && images.len() <= FEW).then(|| pixels(&images));
            (images, few)
        });
        while let Some(part) = drawing.next(admission).await {
            let (images, few) = part?;
            if scrutiny != RenderOutputs::Nothing {
                scores.extend(self.scores(admission, &images).await?);
            }
            if scrutiny == RenderOutputs::Identity && self.engine.has_recognizer() {
                let found = admission.embed(&images).await?;
                embeddings.extend(found.outer_iter().map(|row| row.to_owned()));
            }
            // Others are made off the async threads while the next part is drawn.
            let later = || Pixels::UnderWay(tokio::task::spawn_blocking(move || pixels(&images)));
            pictures.push(few.map_or_else(later, Pixels::Made));
        }
        let mut drawn = Vec::with_capacity(codes.len());
        for part in pictures {
            drawn.extend(match part {
                Pixels::Made(pictures) => pictures?,
                Pixels::UnderWay(part) => part.await.expect("converting pixels does not panic")?,
            });
        }
        let (mut scores, mut embeddings) = (scores.into_iter(), embeddings.into_iter());
        let face = |(code, picture)| Face {
            seed: None,
            distances: self.distances(&code),
            code,
            picture,
            scores: scores.next().unwrap_or_default(),
            embedding: embeddings.next(),
        };
        Ok(codes.into_iter().zip(drawn).map(face).collect())
    }

    /// What the synthesis graph takes for codes of one space: `[batch, rows, dim]`.
    pub(crate) async fn synthesis_input(
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
}
