//! The interface of a landmark network.

use ndarray::{Array2, ArrayView4};

use crate::engine::EngineError;

/// Finds the landmarks of a face, by which its image is aligned.
pub trait Landmarker: Send + 'static {
    /// Height and width in pixels that its input must have.
    fn size(&self) -> [usize; 2];

    /// Landmarks `[points, 2]` of the face in one image `[1, 3, height, width]`.
    ///
    /// The image has the size [`size`](Self::size), and its values are between −1 (black) and 1 (white), whatever the
    /// generator's range. A landmark is x, y as fractions of the image's width and height; it is finite, and it can lie
    /// outside the image. `points` is 5 or 68.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn landmarks(&mut self, image: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
