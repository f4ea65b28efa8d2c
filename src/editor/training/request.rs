//! The request to train boundaries.

use ndarray::Axis;

use crate::editor::LabelledCodes;
use crate::latent::{BoundaryFit, LatentSpace};

/// The boundaries to train.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// The attributes, each of which gets a boundary.
    pub attributes: Vec<String>,
    /// The space of the boundaries.
    pub space: LatentSpace,
    /// The codes.
    pub source: TrainSource,
    /// How each boundary is fitted.
    pub fit: BoundaryFit,
}

/// Where the scored codes come from.
#[derive(Clone, Debug)]
pub enum TrainSource {
    /// Codes are sampled in z, and scored by the model's classifiers.
    Sampled {
        /// How many codes.
        samples: usize,
        /// The seed of all of them.
        seed: u32,
    },
    /// The caller's own codes and scores.
    Labelled(LabelledCodes),
}

impl TrainRequest {
    /// How many codes there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        match &self.source {
            TrainSource::Sampled { samples, .. } => *samples,
            TrainSource::Labelled(labelled) => labelled.codes.len_of(Axis(0)),
        }
    }
}
