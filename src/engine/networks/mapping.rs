//! The interface of a mapping network.

use ndarray::{Array2, ArrayView2};

use crate::engine::EngineError;

/// Maps codes from z to w.
pub trait Mapping: Send + 'static {
    /// The number of classes of a class-conditional mapping; 0 if the mapping takes no label.
    fn classes(&self) -> usize {
        0
    }

    /// w codes `[batch, w_dim]` of z codes `[batch, z_dim]`, without truncation. A class-conditional mapping also takes labels
    /// `[batch, classes]`; for any other, they are `None`.
    ///
    /// The z codes are finite. They are mapped as they are: a caller that wants normalized codes normalizes them. The w codes
    /// are not checked for NaN and infinity; [`LatentCode`](crate::latent::LatentCode) does that.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn map(
        &mut self,
        z: ArrayView2<'_, f32>,
        labels: Option<ArrayView2<'_, f32>>,
    ) -> Result<Array2<f32>, EngineError>;
}
