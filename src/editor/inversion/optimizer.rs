//! The optimizer of one code: Adam, or BFGS.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis};

use crate::editor::Model;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::start_code::StartCode;
use crate::latent::{Adam, AdamSchedule, Lbfgs};

/// Adam's learning rate if the manifest has no `[gradient]`, in units of the code.
const DEFAULT_RATE: f64 = 0.1;

/// One code under optimization.
pub(crate) enum Optimizer {
    /// For a start far from the target, where the loss is rough: Adam's momentum carries a code over small local minima.
    Adam(Adam),
    /// For a start near the target, where the loss is smooth.
    Lbfgs(Lbfgs),
}

impl Optimizer {
    /// The optimizer that `method` uses, for `steps` steps.
    pub(crate) fn new(model: &Model, method: InversionMethod, start: &StartCode, steps: usize) -> Self {
        let settings = model.inversion();
        let gradient = settings.gradient.as_ref();
        let (rate, pull) = gradient.map_or((DEFAULT_RATE, 0.0), |entry| (entry.rate, entry.pull));
        let code = start.code.values().mapv(f64::from);
        match method {
            InversionMethod::Refine => {
                let anchor = start.anchor.values().mapv(f64::from);
                Self::Lbfgs(Lbfgs::new(
                    code,
                    anchor,
                    Arc::clone(&settings.encoder_errors),
                    pull,
                ))
            }
            InversionMethod::Optimize | InversionMethod::Encoder => {
                Self::Adam(Adam::new(code, AdamSchedule { steps, rate, pull }))
            }
        }
    }

    /// The code to evaluate next, in single precision, as networks take it.
    pub(crate) fn code(&self) -> Array2<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "networks take single precision")]
        self.values().mapv(|value| value as f32)
    }

    /// Takes the step that follows from the loss of the current code and its gradient `[rows, dim]`.
    pub(crate) fn step(&mut self, loss: f32, gradient: ArrayView2<'_, f32>) {
        let gradient = gradient.mapv(f64::from);
        // One row stands for all layers, so it moves by the sum of their gradients.
        let gradient = if self.values().nrows() == 1 {
            gradient.sum_axis(Axis(0)).insert_axis(Axis(0))
        } else {
            gradient
        };
        match self {
            Self::Adam(adam) => adam.step(&gradient),
            Self::Lbfgs(bfgs) => bfgs.step(f64::from(loss), &gradient),
        }
    }

    /// Whether it found a local minimum. Adam never knows.
    pub(crate) fn is_at_minimum(&self) -> bool {
        match self {
            Self::Adam(_) => false,
            Self::Lbfgs(bfgs) => bfgs.is_done(),
        }
    }

    fn values(&self) -> &Array2<f64> {
        match self {
            Self::Adam(adam) => adam.code(),
            Self::Lbfgs(bfgs) => bfgs.code(),
        }
    }
}
