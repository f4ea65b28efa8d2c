//! An attribute that a search for a score watches, and the scale on which its scores are about straight.

use std::sync::Arc;

use crate::catalog::ScoreKind;
use crate::latent::{Boundary, Direction};

/// Logits beyond this are not told apart.
const SATURATED: f64 = 14.0;

/// An attribute whose score counts.
pub(crate) struct ScoredAttribute {
    pub(crate) attribute: String,
    pub(crate) column: usize,
    pub(crate) kind: ScoreKind,
    /// What moves it, and its boundary; `None` where that lies in the span of others.
    pub(crate) direction: Option<(Arc<Boundary>, Direction)>,
}

impl ScoredAttribute {
    /// A score on the scale where it is about straight along the boundary: logits of probabilities.
    pub(crate) fn straight(&self, score: f64) -> f64 {
        match self.kind {
            ScoreKind::Value => score,
            ScoreKind::Logit => score.clamp(-SATURATED, SATURATED),
            ScoreKind::Probability => logit(score),
        }
    }

    /// Back to what a request says.
    pub(crate) fn said(&self, straight: f64) -> f64 {
        match self.kind {
            ScoreKind::Value => straight,
            ScoreKind::Logit | ScoreKind::Probability => 1.0 / (1.0 + (-straight).exp()),
        }
    }
}

/// A probability's logit, no further than is told apart.
pub(crate) fn logit(probability: f64) -> f64 {
    (probability / (1.0 - probability))
        .ln()
        .clamp(-SATURATED, SATURATED)
}
