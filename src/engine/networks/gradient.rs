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

/// The losses of a batch of codes, and their gradients. Where the network has values that are not finite, the loss is infinite and the
/// gradient 0; all other values are finite.
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
    /// The same with an infinite loss and the gradient 0 for each code that has a value which is not finite: the other codes of the batch may
    /// be those of other requests.
    pub(crate) fn without_broken(mut self) -> Self {
        for (index, mut gradient) in self.gradient.outer_iter_mut().enumerate() {
            let loss = &mut self.loss[index];
            let mut no_perceptual = 0.0;
            let perceptual = self.perceptual.as_mut();
            let perceptual = perceptual.map_or(&mut no_perceptual, |perceptual| &mut perceptual[index]);
            let values = gradient.iter().chain([&*loss, &*perceptual]);
            if !values.into_iter().all(|value| value.is_finite()) {
                (*loss, *perceptual) = (f32::INFINITY, f32::INFINITY);
                gradient.fill(0.0);
            }
        }
        self
    }

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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_code_with_a_value_that_is_not_finite_breaks_no_other() {
        let found = LossGradient {
            loss: array![1.0, f32::NAN, 3.0, 4.0],
            perceptual: Some(array![0.1, 0.2, f32::INFINITY, 0.4]),
            gradient: array![[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]], [[7.0, f32::NAN]]],
        };
        let found = found.without_broken();
        let lost = f32::INFINITY;
        assert_eq!(found.loss, array![1.0, lost, lost, lost]);
        assert_eq!(found.perceptual, Some(array![0.1, lost, lost, lost]));
        assert_eq!(
            found.gradient,
            array![[[1.0, 2.0]], [[0.0, 0.0]], [[0.0, 0.0]], [[0.0, 0.0]]]
        );
    }
}
