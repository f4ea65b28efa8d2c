//! What tells persons apart, whatever runs it.

use ndarray::{Array2, ArrayView4};

use crate::engine::EngineError;

/// An identity graph: the generator's image tensors in, a vector for each face out.
pub trait Recognizer: Send + 'static {
    /// Embeddings `[batch, values]` of images `[batch, 3, height, width]`, as the generator gave them: the more alike two
    /// persons are, the nearer the cosine of theirs is to 1.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn embed(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
