//! What finds the codes behind images, whatever runs it.

use ndarray::{Array1, Array2, Array3, ArrayView3, ArrayView4, Axis, Slice};

use crate::engine::EngineError;

/// An encoder: images in, codes out.
pub trait Encoder: Send + 'static {
    /// Codes `[batch, rows, dim]` of images `[batch, 3, height, width]`, in the generator's range.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError>;
}

/// A landmark graph: an image in, a face's landmarks out.
pub trait Landmarker: Send + 'static {
    /// Height and width of the image that it wants.
    fn size(&self) -> [usize; 2];

    /// Landmarks `[points, 2]` of the face in an image `[1, 3, height, width]`, black at −1 and white at 1: x and y as
    /// fractions of the image's width and height.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn find(&mut self, image: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError>;
}

/// How wrong codes are.
#[derive(Clone, Debug)]
pub struct LossGradient {
    /// The loss of each code, `[batch]`.
    pub loss: Array1<f32>,
    /// The perceptual part of it before it is weighed, `[batch]`, where the graph tells it.
    pub perceptual: Option<Array1<f32>>,
    /// The gradient of each code's loss, `[batch, rows, dim]`.
    pub gradient: Array3<f32>,
}

impl LossGradient {
    /// Some of the codes' part.
    pub(crate) fn part(&self, codes: Slice) -> Self {
        let part = |values: &Array1<f32>| values.slice_axis(Axis(0), codes).to_owned();
        Self {
            loss: part(&self.loss),
            perceptual: self.perceptual.as_ref().map(part),
            gradient: self.gradient.slice_axis(Axis(0), codes).to_owned(),
        }
    }
}

/// A generator's loss against images, differentiated by its code.
pub trait Gradient: Send + 'static {
    /// Most codes that one run should hold, at least 1.
    fn largest_batch(&self) -> usize;

    /// The losses of codes `[batch, rows, dim]` (rows as synthesis takes them) against images
    /// `[batch, 3, height, width]`, in the generator's range.
    ///
    /// # Errors
    /// [`EngineError`] where the run fails.
    fn slope(
        &mut self,
        codes: ArrayView3<'_, f32>,
        targets: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError>;
}
