//! The interface of a gradient network.

use ndarray::{Array1, Array3, ArrayView3, ArrayView4, Axis, Slice};

use crate::engine::EngineError;

/// Computes how much the synthesized images of codes differ from target images, and how that loss changes with the codes.
pub trait Gradient: Send + 'static {
    /// Most codes in one run, at least 1.
    fn largest_batch(&self) -> usize;

    /// The losses of codes `[batch, rows, dim]` against target images `[batch, 3, height, width]`, and their gradients.
    ///
    /// Code `i` is compared with target `i`; both tensors have the same batch. The codes are finite, with the rows that
    /// synthesis takes ([`GeneratorShape::synthesis_rows`](crate::engine::GeneratorShape::synthesis_rows)); the targets have
    /// the generator's size and range.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        targets: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError>;
}

/// The losses of a batch of codes, and their gradients. All values are finite.
#[derive(Clone, Debug)]
pub struct LossGradient {
    /// The loss of each code, `[batch]`.
    pub loss: Array1<f32>,
    /// The perceptual term of each loss before its weight is applied, `[batch]`. `None` if the network has no such output.
    pub perceptual: Option<Array1<f32>>,
    /// The gradient of each code's loss with respect to that code, `[batch, rows, dim]`.
    pub gradient: Array3<f32>,
}

impl LossGradient {
    /// The part that belongs to a range of the codes.
    pub(crate) fn part(&self, codes: Slice) -> Self {
        let part = |values: &Array1<f32>| values.slice_axis(Axis(0), codes).to_owned();
        Self {
            loss: part(&self.loss),
            perceptual: self.perceptual.as_ref().map(part),
            gradient: self.gradient.slice_axis(Axis(0), codes).to_owned(),
        }
    }
}
