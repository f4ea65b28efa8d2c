//! A hyperplane with a normal of any length.

use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::dot_with_code;

/// The hyperplane w·x + b = 0, with w of any length.
pub(crate) struct Hyperplane {
    pub(crate) w: Vec<f64>,
    pub(crate) intercept: f64,
}

impl Hyperplane {
    /// w·x + b for a code x: above 0 on the positive side.
    pub(crate) fn value(&self, code: &[f32]) -> f64 {
        dot_with_code(&self.w, code) + self.intercept
    }

    /// w·x + b for each of the selected rows `indices`.
    pub(crate) fn values(&self, rows: CodeRows<'_>, indices: &[usize]) -> Vec<f64> {
        let mut values = rows.products(indices, &self.w);
        for value in &mut values {
            *value += self.intercept;
        }
        values
    }
}
