//! A face: where its code comes from, and what rendering finds out about it.

use std::collections::BTreeMap;

use ndarray::Array1;

use crate::imaging::Image;
use crate::latent::{Label, LatentCode};

/// Where a face's latent code comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FaceSource {
    /// A seed, from which a z code is sampled. With a class-conditional generator, the remainder of the seed divided by the number of
    /// classes is its class.
    Seed(u32),
    /// A seed, and the label of its code.
    LabelledSeed(u32, Label),
    /// The caller's own code.
    Latent(LatentCode),
}

impl FaceSource {
    /// The seed, if there is one.
    #[must_use]
    pub fn seed(&self) -> Option<u32> {
        match self {
            Self::Seed(seed) | Self::LabelledSeed(seed, _) => Some(*seed),
            Self::Latent(_) => None,
        }
    }
}

/// The truncation that a request asks for. The model's default replaces what is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TruncationChoice {
    /// Psi: 1 leaves a code as it is, 0 gives the mean face.
    pub psi: Option<f64>,
    /// How many of the first layers are truncated.
    pub layers: Option<usize>,
}

/// A rendered face.
#[derive(Clone, Debug)]
pub struct Face {
    /// The seed that its code was sampled from, if any.
    pub seed: Option<u32>,
    /// Its latent code.
    pub code: LatentCode,
    /// Its image.
    pub image: Image,
    /// The signed distance from the boundary of each attribute.
    pub distances: BTreeMap<String, f64>,
    /// The score of each attribute, if the request asked for scores; otherwise empty.
    pub scores: BTreeMap<String, f32>,
    /// The identity graph's embedding, if the model has that graph and the request compares faces.
    pub embedding: Option<Array1<f32>>,
}
