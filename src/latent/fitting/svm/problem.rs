//! The optimization problem of the linear support vector machine.

use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::dot_with_code;

/// What to do if a support vector machine does not converge.
pub(crate) const ADVICE: &str = "scale the codes to values near 1, or select other samples";

/// Minimize ½‖w‖² + C Σ max(0, 1 − yᵢ(w·xᵢ + b)) over w and b, the problem of scikit-learn's `SVC(kernel="linear")`.
/// Unlike in its `LinearSVC`, the intercept b is not part of the norm.
pub(crate) struct SvmProblem<'a> {
    /// The samples x.
    pub(crate) rows: CodeRows<'a>,
    /// The side y of each sample: 1 or −1.
    pub(crate) sides: &'a [f64],
    /// C.
    pub(crate) cost: f64,
}

impl SvmProblem<'_> {
    /// The margins yᵢ(w·xᵢ + b) of all samples.
    pub(crate) fn margins(&self, w: &[f64], intercept: f64) -> Vec<f64> {
        let sides = self.sides.iter().enumerate();
        sides
            .map(|(index, side)| side * (dot_with_code(w, self.rows.row(index)) + intercept))
            .collect()
    }

    /// The least and the greatest value of a sample's dual variable β.
    pub(crate) fn bounds(&self, index: usize) -> (f64, f64) {
        if self.sides[index] > 0.0 {
            (0.0, self.cost)
        } else {
            (-self.cost, 0.0)
        }
    }
}
