//! How far codes lie from where they are thought to be, along each direction.

use ndarray::{Array2, ArrayView2};

use crate::latent::LatentError;

/// The root of a covariance L Lᵀ of codes' rows, by which far and near are judged: a step of length 1 is one deviation,
/// whichever way it goes. The default takes all directions alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Whitening(Option<Array2<f64>>);

impl Whitening {
    /// Of a covariance `[dim, dim]`.
    ///
    /// # Errors
    /// [`LatentError::NoCovariance`] for a matrix that is not square, symmetric and positive definite.
    pub fn of(covariance: ArrayView2<'_, f64>) -> Result<Self, LatentError> {
        let (rows, columns) = covariance.dim();
        let no = |reason| LatentError::NoCovariance {
            rows,
            columns,
            reason,
        };
        if rows != columns || rows == 0 {
            return Err(no("it is not square"));
        }
        let greatest = covariance
            .iter()
            .fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
        let differ = |((row, column), &value): ((usize, usize), &f64)| {
            (value - covariance[[column, row]]).abs() > 1e-5 * greatest
        };
        if covariance.indexed_iter().any(differ) {
            return Err(no("it is not symmetric"));
        }
        let root = root(covariance).ok_or_else(|| no("it is not positive definite"))?;
        Ok(Self(Some(root)))
    }

    /// Deviations `[rows, dim]` as differences of codes.
    pub(crate) fn difference(&self, deviations: &Array2<f64>) -> Array2<f64> {
        match &self.0 {
            Some(root) => deviations.dot(&root.t()),
            None => deviations.clone(),
        }
    }

    /// The deviations that make up a difference of codes `[rows, dim]`.
    ///
    /// # Panics
    /// Where the spread is one of rows of another length.
    pub(crate) fn deviations(&self, difference: &Array2<f64>) -> Array2<f64> {
        let mut deviations = difference.clone();
        let Some(root) = &self.0 else { return deviations };
        assert_eq!(root.nrows(), difference.ncols(), "a spread is one of codes' rows");
        for mut row in deviations.outer_iter_mut() {
            for place in 0..row.len() {
                let known: f64 = (0..place).map(|k| root[[place, k]] * row[k]).sum();
                row[place] = (row[place] - known) / root[[place, place]];
            }
        }
        deviations
    }

    /// A gradient by codes `[rows, dim]` as one by deviations.
    pub(crate) fn by_deviations(&self, gradient: &Array2<f64>) -> Array2<f64> {
        match &self.0 {
            Some(root) => gradient.dot(root),
            None => gradient.clone(),
        }
    }
}

/// Cholesky's lower triangle L with L Lᵀ = `a`, or `None` where `a` is not positive definite.
fn root(a: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let mut lower = Array2::<f64>::zeros(a.dim());
    for row in 0..a.nrows() {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| lower[[row, k]] * lower[[column, k]]).sum();
            let left = a[[row, column]] - known;
            lower[[row, column]] = if row == column {
                if !(left.is_finite() && left > 0.0) {
                    return None;
                }
                left.sqrt()
            } else {
                left / lower[[column, column]]
            };
        }
    }
    Some(lower)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_covariance_is_its_root_times_its_root() {
        let covariance = array![[4.0, 2.0, 0.4], [2.0, 3.0, -0.5], [0.4, -0.5, 0.7]];
        let Whitening(Some(root)) = Whitening::of(covariance.view()).unwrap() else {
            panic!("it has a root");
        };
        let again = root.dot(&root.t());
        assert!((again - covariance).iter().all(|off| off.abs() < 1e-12));
    }

    #[test]
    fn a_gradient_by_deviations_is_the_chain_rule() {
        let spread = Whitening::of(array![[4.0, 1.0], [1.0, 0.5]].view()).unwrap();
        let gradient = array![[0.3, -2.0], [1.0, 5.0]];
        let there = spread.by_deviations(&gradient);
        for place in [[0, 0], [0, 1], [1, 0], [1, 1]] {
            let mut deviation = Array2::zeros((2, 2));
            deviation[place] = 1.0;
            let rise = (spread.difference(&deviation) * &gradient).sum();
            assert!((there[place] - rise).abs() < 1e-12, "{place:?}");
        }
    }

    #[test]
    fn deviations_make_up_their_difference() {
        let spread =
            Whitening::of(array![[4.0, 1.0, 0.0], [1.0, 0.5, -0.1], [0.0, -0.1, 0.3]].view()).unwrap();
        let difference = array![[0.3, -2.0, 1.0], [1.0, 5.0, 0.0]];
        let again = spread.difference(&spread.deviations(&difference));
        assert!((again - difference).iter().all(|off| off.abs() < 1e-12));
    }

    #[test]
    fn what_is_no_covariance_is_refused() {
        for (matrix, reason) in [
            (array![[1.0, 0.0]], "it is not square"),
            (array![[1.0, 0.5], [0.0, 1.0]], "it is not symmetric"),
            (array![[1.0, 2.0], [2.0, 1.0]], "it is not positive definite"),
            (array![[0.0]], "it is not positive definite"),
            (array![[f64::NAN]], "it is not positive definite"),
        ] {
            let error = Whitening::of(matrix.view()).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
