//! The interface of an identity network.

use ndarray::{Array2, ArrayView4};

use crate::engine::EngineError;

/// Computes embeddings by which persons are compared.
pub trait Recognizer: Send + 'static {
    /// Embeddings `[batch, values]` of images `[batch, 3, height, width]`.
    ///
    /// The images have the generator's size and range. The embeddings are finite, but not normalized. The cosine of two
    /// embeddings is near 1 if the images show the same person.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn embed(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
