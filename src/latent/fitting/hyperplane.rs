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
        let [values] = Self::all_values([self], rows, indices);
        values
    }

    /// The values of several hyperplanes, for which each code is read once.
    pub(crate) fn all_values<const N: usize>(
        planes: [&Self; N],
        rows: CodeRows<'_>,
        indices: &[usize],
    ) -> [Vec<f64>; N] {
        let mut values = rows.products(indices, planes.map(|plane| &plane.w[..]));
        for (values, plane) in values.iter_mut().zip(planes) {
            for value in values {
                *value += plane.intercept;
            }
        }
        values
    }
}
