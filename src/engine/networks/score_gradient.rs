//! The interface of the networks that differentiate scores by a code.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use crate::engine::EngineError;

/// Computes the scores of the synthesized images of codes, and how they change with the codes.
pub trait ScoreGradient: Send + 'static {
    /// Most codes in one run, at least 1.
    fn largest_batch(&self) -> usize;

    /// The scores of codes `[batch, rows, dim]`, and for each code the gradient of the sum of weights · scores.
    ///
    /// Code `i` has the weights `i` of `weights` `[batch, scores]`, one for each attribute that the classifiers score, in the order of
    /// [`Manifest::scored`](crate::catalog::Manifest::scored). The codes are finite, with the rows that synthesis takes.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn score_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        weights: ArrayView2<'_, f32>,
    ) -> Result<WeightedGradients, EngineError>;
}

/// Computes how the sum of weights · w changes with z.
pub trait MappingGradient: Send + 'static {
    /// The gradients `[batch, z_dim]` of the sum of weights · w by z `[batch, z_dim]`, for `weights` `[batch, w_dim]`. The labels are
    /// those of [`Mapping::map`](crate::engine::Mapping::map).
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn mapping_gradient(
        &mut self,
        z: ArrayView2<'_, f32>,
        labels: Option<ArrayView2<'_, f32>>,
        weights: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>, EngineError>;
}

/// The scores of a batch of codes, and gradients of their weighted sums. All values are finite.
#[derive(Clone, Debug)]
pub struct WeightedGradients {
    /// Scores `[batch, scores]` on a linear scale: logits, or values.
    pub scores: Array2<f32>,
    /// The gradient of each code's weighted sum by that code, `[batch, rows, dim]`.
    pub gradient: Array3<f32>,
}

/// The networks that differentiate scores.
pub struct ScoreGradientNetworks {
    /// By the codes that synthesis takes.
    pub scores: Box<dyn ScoreGradient>,
    /// Through the mapping. `None` if the generator has none.
    pub mapping: Option<Box<dyn MappingGradient>>,
}

/// Derives and opens the networks that differentiate scores. This takes time and memory, so it happens when they are first needed.
pub type OpenScoreGradients = Box<dyn Fn() -> Result<ScoreGradientNetworks, EngineError> + Send + Sync>;
