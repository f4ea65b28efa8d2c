//! What the check of a model's networks found.

use crate::imaging::Image;

/// What the networks of a model say about sample faces.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The faces, each with its seed, small.
    pub faces: Vec<(u32, Image)>,
    /// The scores of each attribute.
    pub scores: Vec<ScoreFindings>,
    /// Of how many faces the landmark graph found eyes and mouth inside the image. `None` without a landmark graph.
    pub landmarks: Option<usize>,
    /// How the identity graph compares the faces. `None` without an identity graph.
    pub identity: Option<IdentityFindings>,
    /// How many faces are most similar to themselves after the encoder and the generator. `None` without an encoder.
    pub encoder: Option<usize>,
    /// The errors of networks that failed, each once.
    pub failures: Vec<String>,
}

/// The scores of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFindings {
    /// The attribute.
    pub attribute: String,
    /// The score that separates the two sides.
    pub threshold: f64,
    /// The values of black and white that the manifest says.
    pub range: [f32; 2],
    /// The score of each face. Empty if the classifier failed.
    pub values: Vec<f32>,
    /// The number of faces above the threshold if black and white have other values than the manifest says.
    pub alternatives: Vec<([f32; 2], usize)>,
}

/// Cosines of embeddings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IdentityFindings {
    /// The mean of a face and the same face, a little darker and shifted.
    pub same: f64,
    /// The mean of two different faces.
    pub different: f64,
}

impl ScoreFindings {
    /// The number of faces with a score above the threshold.
    #[must_use]
    pub fn above(&self) -> usize {
        above(&self.values, self.threshold)
    }

    /// The lowest score, the mean and the highest score. `None` without scores.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a few hundred faces")]
    pub fn spread(&self) -> Option<[f64; 3]> {
        let values = || self.values.iter().copied().map(f64::from);
        let mean = values().sum::<f64>() / values().len() as f64;
        let lowest = values().reduce(f64::min)?;
        Some([lowest, mean, values().reduce(f64::max)?])
    }
}

/// The number of scores above a threshold.
pub(crate) fn above(values: &[f32], threshold: f64) -> usize {
    values
        .iter()
        .filter(|&&value| f64::from(value) > threshold)
        .count()
}
