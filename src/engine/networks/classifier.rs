//! What a classifier does, whatever runs it.

use ndarray::{Array2, ArrayView4};

use crate::engine::EngineError;

/// A classifier: the generator's image tensors in, scores out.
pub trait Classifier: Send + 'static {
    /// How many scores it gives for an image.
    fn outputs(&self) -> usize;

    /// Scores `[batch, outputs]` of images `[batch, 3, height, width]`, as the generator gave them.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
