//! The interface of a graph that computes the true values of attributes from codes.

use ndarray::{Array2, ArrayView3};

use crate::engine::EngineError;

/// Computes the true values of attributes from codes. Only generators that formulas render can have one; a report compares
/// edits by it.
pub trait Truth: Send + 'static {
    /// True values `[batch, attributes]` of codes `[batch, rows, dim]`, as synthesis takes them.
    ///
    /// # Errors
    /// [`EngineError`] if the run fails.
    fn values(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError>;
}
