//! What a face is before it is drawn, and after.

use std::collections::BTreeMap;

use ndarray::Array1;

use crate::imaging::Picture;
use crate::latent::LatentCode;

/// Where a face comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum FaceSource {
    /// A code sampled in z.
    Seed(u32),
    /// A code that the caller has.
    Latent(LatentCode),
}

/// What a request says of truncation; the model's manifest fills in the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TruncationChoice {
    /// Psi: 1 is none, 0 is the mean face.
    pub psi: Option<f64>,
    /// How many of the first layers are truncated.
    pub layers: Option<usize>,
}

/// A face that was drawn.
#[derive(Clone, Debug)]
pub struct Face {
    /// The seed that it was sampled with, if it was.
    pub seed: Option<u32>,
    /// Its code.
    pub code: LatentCode,
    /// Its picture.
    pub picture: Picture,
    /// Signed distance from each attribute's boundary in the code's space.
    pub distances: BTreeMap<String, f64>,
    /// Each classifier output, by attribute; empty unless scores were asked for.
    pub scores: BTreeMap<String, f32>,
    /// What the identity graph says of it; `None` without one, and unless it is compared.
    pub embedding: Option<Array1<f32>>,
}
