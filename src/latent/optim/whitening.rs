//! A scale of codes by their covariance, in which all directions are alike.

use ndarray::{Array2, ArrayView2};

use crate::latent::LatentError;
use crate::latent::linear_algebra::cholesky::factorize;
use crate::latent::linear_algebra::dot_product::ordered_dot;

/// The Cholesky factor L of the covariance L Lᵀ of the rows of codes. With deviations d, the difference of two codes is
/// L d, and a step of length 1 in d is one standard deviation in every direction. The default is L = 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Whitening(Option<Array2<f64>>);

impl Whitening {
    /// Makes the whitening of a `covariance` `[dim, dim]`.
    ///
    /// # Errors
    /// [`LatentError::NotCovariance`] for a matrix that is not square, symmetric and positive definite.
    pub fn of(covariance: ArrayView2<'_, f64>) -> Result<Self, LatentError> {
        let (rows, columns) = covariance.dim();
        let refuse = |reason| LatentError::NotCovariance {
            rows,
            columns,
            reason,
        };
        if rows != columns || rows == 0 {
            return Err(refuse("not square"));
        }
        let greatest = covariance
            .iter()
            .fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
        let differ = |((row, column), &value): ((usize, usize), &f64)| {
            (value - covariance[[column, row]]).abs() > 1e-5 * greatest
        };
        if covariance.indexed_iter().any(differ) {
            return Err(refuse("not symmetric"));
        }
        let mut factor = covariance.as_standard_layout().into_owned();
        let ordered = |x: &[f64], y: &[f64]| ordered_dot(x, y);
        factorize(&mut factor, 0.0, ordered).ok_or_else(|| refuse("not positive definite"))?;
        for ((row, column), value) in factor.indexed_iter_mut() {
            if column > row {
                *value = 0.0;
            }
        }
        Ok(Self(Some(factor)))
    }

    /// The difference of codes of the deviations `[rows, dim]`.
    pub(crate) fn difference(&self, deviations: &Array2<f64>) -> Array2<f64> {
        match &self.0 {
            Some(factor) => deviations.dot(&factor.t()),
            None => deviations.clone(),
        }
    }

    /// The deviations of the difference of codes `[rows, dim]`.
    ///
    /// # Panics
    /// If the covariance is that of rows of another length.
    pub(crate) fn deviations(&self, difference: &Array2<f64>) -> Array2<f64> {
        let mut deviations = difference.clone();
        let Some(factor) = &self.0 else { return deviations };
        assert_eq!(
            factor.nrows(),
            difference.ncols(),
            "the covariance must be that of the rows of codes"
        );
        for mut row in deviations.outer_iter_mut() {
            for column in 0..row.len() {
                let known: f64 = (0..column).map(|k| factor[[column, k]] * row[k]).sum();
                row[column] = (row[column] - known) / factor[[column, column]];
            }
        }
        deviations
    }

    /// The gradient with respect to deviations, from the `gradient` `[rows, dim]` with respect to codes.
    pub(crate) fn gradient_by_deviations(&self, gradient: &Array2<f64>) -> Array2<f64> {
        match &self.0 {
            Some(factor) => gradient.dot(factor),
            None => gradient.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_covariance_is_the_factor_times_its_transpose() {
        let covariance = array![[4.0, 2.0, 0.4], [2.0, 3.0, -0.5], [0.4, -0.5, 0.7]];
        let Whitening(Some(factor)) = Whitening::of(covariance.view()).unwrap() else {
            panic!("there is a factor");
        };
        let again = factor.dot(&factor.t());
        assert!((again - covariance).iter().all(|off| off.abs() < 1e-12));
    }

    #[test]
    fn a_gradient_by_deviations_is_the_chain_rule() {
        let whitening = Whitening::of(array![[4.0, 1.0], [1.0, 0.5]].view()).unwrap();
        let gradient = array![[0.3, -2.0], [1.0, 5.0]];
        let by_deviations = whitening.gradient_by_deviations(&gradient);
        for index in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let mut deviation = Array2::zeros((2, 2));
            deviation[index] = 1.0;
            let rise = (whitening.difference(&deviation) * &gradient).sum();
            assert!((by_deviations[index] - rise).abs() < 1e-12, "{index:?}");
        }
    }

    #[test]
    fn the_difference_of_the_deviations_of_a_difference_is_the_difference() {
        let whitening =
            Whitening::of(array![[4.0, 1.0, 0.0], [1.0, 0.5, -0.1], [0.0, -0.1, 0.3]].view()).unwrap();
        let difference = array![[0.3, -2.0, 1.0], [1.0, 5.0, 0.0]];
        let again = whitening.difference(&whitening.deviations(&difference));
        assert!((again - difference).iter().all(|off| off.abs() < 1e-12));
    }

    #[test]
    fn a_matrix_that_is_not_a_covariance_is_refused() {
        for (matrix, reason) in [
            (array![[1.0, 0.0]], "not square"),
            (array![[1.0, 0.5], [0.0, 1.0]], "not symmetric"),
            (array![[1.0, 2.0], [2.0, 1.0]], "not positive definite"),
            (array![[0.0]], "not positive definite"),
            (array![[f64::NAN]], "not positive definite"),
        ] {
            let error = Whitening::of(matrix.view()).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
