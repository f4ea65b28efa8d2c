//! The interface of an encoder.

use ndarray::{Array3, ArrayView4};

use crate::engine::EngineError;

/// Estimates the latent codes of images.
pub trait Encoder: Send + 'static {
    /// Codes `[batch, rows, dim]` of images `[batch, 3, height, width]`.
    ///
    /// The images have the generator's size and range. The codes are finite and in the space that the manifest names in
    /// `encoder.space`: `rows` and `dim` are those of
    /// [`GeneratorShape::code_shape`](crate::engine::GeneratorShape::code_shape).
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError>;
}
