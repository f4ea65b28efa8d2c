//! The interface of the affine layers of a synthesis network, which make its styles.

use ndarray::{Array2, ArrayView3};

use crate::engine::EngineError;

/// Makes styles of w+ codes.
pub trait StyleMapping: Send + 'static {
    /// The styles of all layers side by side, `[batch, channels]`, of codes `[batch, rows, dim]`, with the rows that synthesis takes.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn styles(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
