//! Takes faces to whoever waits for them, while further faces of the same request are being rendered.

use std::collections::BTreeMap;

use ndarray::Array1;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::editor::{EditorError, Face};
use crate::imaging::{Image, ImagingError};
use crate::latent::LatentCode;

/// The pixels of one part, finished or in progress.
pub(crate) enum Pixels {
    Finished(Result<Vec<Image>, ImagingError>),
    InProgress(JoinHandle<Result<Vec<Image>, ImagingError>>),
}

/// Faces that one run of the generator has made.
pub(crate) struct RenderedPart {
    pub(crate) codes: Vec<LatentCode>,
    pub(crate) pixels: Pixels,
    /// A map for each code; empty without scores.
    pub(crate) scores: Vec<BTreeMap<String, f32>>,
    /// An embedding for each code; empty without embeddings.
    pub(crate) embeddings: Vec<Array1<f32>>,
}

impl RenderedPart {
    /// The faces, without distances.
    ///
    /// # Errors
    /// [`EditorError`] if the output of the generator is not an image.
    pub(crate) async fn faces(self) -> Result<Vec<Face>, EditorError> {
        let images = match self.pixels {
            Pixels::Finished(images) => images?,
            Pixels::InProgress(images) => images.await.expect("converting pixels does not panic")?,
        };
        let (mut scores, mut embeddings) = (self.scores.into_iter(), self.embeddings.into_iter());
        let face = |(code, image)| Face {
            seed: None,
            distances: BTreeMap::new(),
            code,
            image,
            scores: scores.next().unwrap_or_default(),
            embedding: embeddings.next(),
        };
        Ok(self.codes.into_iter().zip(images).map(face).collect())
    }
}

/// The end that renders. The number of faces is that of the request, so the channel has no limit of its own.
#[derive(Clone)]
pub struct FaceSender(UnboundedSender<RenderedPart>);

/// The end that waits for faces.
pub struct FaceReceiver(UnboundedReceiver<RenderedPart>);

/// A channel for the faces of one request.
#[must_use]
pub fn face_channel() -> (FaceSender, FaceReceiver) {
    let (sender, receiver) = unbounded_channel();
    (FaceSender(sender), FaceReceiver(receiver))
}

impl FaceSender {
    /// Sends a part. If nobody waits for it any more, it is dropped.
    pub(crate) fn send(&self, part: RenderedPart) {
        let _ = self.0.send(part);
    }
}

impl FaceReceiver {
    /// The next faces, in the order of the request, without distances; `None` after the last, or if rendering failed.
    ///
    /// # Errors
    /// [`EditorError`] if the output of the generator is not an image.
    pub async fn next(&mut self) -> Option<Result<Vec<Face>, EditorError>> {
        let part = self.0.recv().await?;
        Some(part.faces().await)
    }
}
