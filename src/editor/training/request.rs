//! The request to train boundaries.

use std::sync::Arc;

use ndarray::Axis;

use crate::editor::{KeptSamples, LabelledCodes};
use crate::latent::{BoundaryFit, LatentSpace};

/// The boundaries to train.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// The attributes, each of which gets a boundary.
    pub attributes: Vec<String>,
    /// The names of the boundaries, one for each attribute.
    pub names: Vec<String>,
    /// The space of the boundaries.
    pub space: LatentSpace,
    /// The codes.
    pub source: TrainSource,
    /// How each boundary is fitted.
    pub fit: BoundaryFit,
    /// For sampled codes in s: the number of style channels that each boundary moves.
    pub channels: usize,
    /// Which boundary the model has afterwards.
    pub keep: KeepRule,
}

/// Which boundary a model has after a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepRule {
    /// The new one.
    #[default]
    New,
    /// The current one, unless the new one is clearly better on samples that are held out from the fit.
    Better,
}

/// Where the scored codes come from.
#[derive(Clone, Debug)]
pub enum TrainSource {
    /// Codes are sampled in z, and scored by the model's classifiers.
    Sampled {
        /// How many codes.
        samples: SampleCount,
        /// The seed of all of them.
        seed: u32,
    },
    /// The samples of an earlier training.
    Kept(Arc<KeptSamples>),
    /// The caller's own codes and scores.
    Labelled(LabelledCodes),
}

/// How many codes to sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleCount {
    /// This many.
    Fixed(usize),
    /// As many as it takes until the directions have settled, up to a limit.
    Auto {
        /// The most.
        most: usize,
    },
}

impl SampleCount {
    /// Until the directions have settled. The most is where fits of 512 values on two cores still take seconds, and the normals
    /// of most attributes have an expected cosine above 0.99.
    pub const AUTO: Self = Self::Auto { most: 100_000 };

    /// The count of a training that names none: 10,000; in s, as many as a ranking of the style channels needs.
    #[must_use]
    pub fn usual(space: LatentSpace) -> Self {
        match space {
            LatentSpace::S => Self::AUTO,
            _ => Self::Fixed(10_000),
        }
    }

    fn most(self) -> usize {
        match self {
            Self::Fixed(samples) | Self::Auto { most: samples } => samples,
        }
    }
}

impl TrainRequest {
    /// The usual number of style channels that a boundary moves.
    pub const CHANNELS: usize = 10;

    /// Lowers the most samples of [`SampleCount::Auto`] to `fitting`.
    pub(crate) fn limit(&mut self, fitting: usize) {
        if let TrainSource::Sampled {
            samples: SampleCount::Auto { most },
            ..
        } = &mut self.source
        {
            *most = fitting.min(*most);
        }
    }

    /// How many codes there are, at most.
    #[must_use]
    pub fn samples(&self) -> usize {
        match &self.source {
            TrainSource::Sampled { samples, .. } => samples.most(),
            TrainSource::Kept(kept) => kept.scored().codes.len_of(Axis(0)),
            TrainSource::Labelled(labelled) => labelled.codes.len_of(Axis(0)),
        }
    }
}
