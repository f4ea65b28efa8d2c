//! The true values of attributes, where a graph computes them from codes.

use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{Array2, Array3};

use crate::editor::EditorError;
use crate::editor::blocking::run_blocking;
use crate::engine::Truth;

/// A graph that knows the true values of codes. Clones share it.
#[derive(Clone)]
pub struct KnownTruth(Arc<Mutex<Box<dyn Truth>>>);

impl KnownTruth {
    /// Shares a graph. Its columns are the attributes of the model's classifiers, in their order; it may have fewer.
    #[must_use]
    pub fn new(truth: Box<dyn Truth>) -> Self {
        Self(Arc::new(Mutex::new(truth)))
    }

    /// The true values `[codes, attributes]` of what synthesis takes, `[codes, rows, dim]`.
    ///
    /// # Errors
    /// [`EditorError`] if the graph fails.
    pub(crate) async fn values(&self, codes: Array3<f32>) -> Result<Array2<f64>, EditorError> {
        let truth = Arc::clone(&self.0);
        let run = move || {
            let mut truth = truth.lock().unwrap_or_else(PoisonError::into_inner);
            truth.values(codes.view())
        };
        Ok(run_blocking(run).await?.mapv(f64::from))
    }
}
