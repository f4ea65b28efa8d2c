//! How much memory scored codes take, with the fit of a boundary to them.

use std::sync::Arc;

use crate::editor::judging::methods::own_comparison::Comparisons;
use crate::editor::{
    DirectionsRequest, EditorError, KeepRule, Model, ReportRequest, TrainRequest, TrainSource,
};
use crate::latent::{BoundaryFit, LatentSpace};

/// The memory of a job's codes, their scores, and the fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeMemory {
    samples: usize,
    /// Bytes of each code with its scores.
    each: usize,
    /// Bytes of a fit besides those.
    fit: usize,
}

impl CodeMemory {
    /// The memory of a training.
    ///
    /// # Errors
    /// [`EditorError`] if the model has no such space.
    pub(crate) fn of_training(model: &Model, request: &TrainRequest) -> Result<Self, EditorError> {
        let fit = request.fit;
        let new = Self::new(model, request.space, request.samples(), |values| {
            fit.memory(values, request.samples())
        })?;
        let (rows, dim) = model.code_shape(request.space)?;
        let code = rows * dim * size_of::<f32>();
        let each = match request.source {
            // The samples hold their own memory.
            TrainSource::Kept(_) => BoundaryFit::MEMORY_PER_SAMPLE,
            // They are copied in another order.
            TrainSource::Labelled(_) if request.keep == KeepRule::Better => new.each + code,
            TrainSource::Sampled { .. } | TrainSource::Labelled(_) => new.each,
        };
        Ok(Self { each, ..new })
    }

    /// The memory of a report: its samples, and what the comparison of the methods holds at the same time.
    ///
    /// # Errors
    /// [`EditorError`] if the model has no such space.
    pub(crate) fn of_report(model: &Arc<Model>, request: &ReportRequest) -> Result<Self, EditorError> {
        let compared = if request.compared > 0 {
            Comparisons::memory(model)
        } else {
            0
        };
        Self::new(model, request.space, request.samples, |_| compared)
    }

    /// The memory of principal components: the codes, and a matrix of each pair of values.
    pub(crate) fn of_directions(model: &Model, request: &DirectionsRequest) -> Self {
        let dim = model.shape().w_dim;
        Self {
            samples: request.sampled(),
            each: dim * size_of::<f32>(),
            fit: 4 * dim * dim * size_of::<f64>(),
        }
    }

    fn new(
        model: &Model,
        space: LatentSpace,
        samples: usize,
        fit: impl FnOnce(usize) -> usize,
    ) -> Result<Self, EditorError> {
        let (rows, dim) = model.code_shape(space)?;
        let numbers = rows * dim + model.outputs().len();
        Ok(Self {
            samples,
            each: numbers * size_of::<f32>() + BoundaryFit::MEMORY_PER_SAMPLE,
            fit: fit(rows * dim),
        })
    }

    /// All of it, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.samples.saturating_mul(self.each).saturating_add(self.fit)
    }

    /// The most samples that fit into `bytes`.
    pub(crate) fn most_samples(&self, bytes: usize) -> usize {
        bytes.saturating_sub(self.fit) / self.each
    }

    /// Refuses more samples than fit into `most` bytes.
    ///
    /// # Errors
    /// [`EditorError::TooManySamples`].
    pub(crate) fn check(&self, most: usize) -> Result<(), EditorError> {
        if self.bytes() <= most {
            return Ok(());
        }
        Err(EditorError::TooManySamples {
            found: self.samples,
            most: self.most_samples(most),
        })
    }
}
