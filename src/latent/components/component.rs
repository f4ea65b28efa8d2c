//! A direction found without labels.

use ndarray::{Array1, Array2};

use crate::latent::linear_algebra::eigen::eigenvectors;

/// A direction found without labels, and how much varies along it.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// The unit vector. Of its values, the first with the largest magnitude is positive: the sign of an eigenvector is free.
    pub direction: Array1<f64>,
    /// The eigenvalue: for principal components, the variance of the codes along the direction.
    pub eigenvalue: f64,
    /// The eigenvalue's part of the sum of all eigenvalues, from 0 to 1.
    pub share: f64,
}

/// The eigenvectors with the largest eigenvalues of a symmetric positive semidefinite matrix, at most `count`.
pub(crate) fn largest(matrix: Array2<f64>, count: usize) -> Vec<Component> {
    let total = matrix.diag().sum();
    let mut found = eigenvectors(matrix);
    found.truncate(count);
    found
        .into_iter()
        .map(|(eigenvalue, vector)| Component {
            direction: signed(vector),
            eigenvalue,
            share: eigenvalue / total,
        })
        .collect()
}

/// The vector or its opposite, so that its value of the largest magnitude is positive.
fn signed(vector: Array1<f64>) -> Array1<f64> {
    let largest = vector.iter().copied().fold(0.0, |largest: f64, value| {
        if value.abs() > largest.abs() {
            value
        } else {
            largest
        }
    });
    if largest < 0.0 { -vector } else { vector }
}
