//! The interface of an attribute classifier.

use ndarray::{Array2, ArrayView4};

use crate::engine::EngineError;

/// Scores the attributes of images.
pub trait Classifier: Send + 'static {
    /// Scores `[batch, outputs]` of images `[batch, 3, height, width]`.
    ///
    /// The images have the generator's size and range. The scores are finite. Column `i` belongs to entry `i` of the
    /// classifier's `outputs` in the manifest, and there are as many columns as entries.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
