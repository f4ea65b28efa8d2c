//! How exact a direction is, by the agreement of the directions of two halves of the codes.

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::linear_algebra::dot_product::{dot, norm};

/// From this many codes for each value of a code, the error of a direction is estimated.
pub(crate) const CODES_PER_VALUE: usize = 10;

/// The expected cosine between the normal of `codes` codes and that of unlimited ones, from the normals of two halves of the codes.
///
/// If c is the cosine between the halves, the error of each has the square (1 − c)/c relative to the normal itself. The error of all n
/// codes of d values has (n/2 − d − 1)/(n − d − 1) of that, as in least squares. Normals that do not agree at all have the cosine 0.
/// `None` for fewer than ten codes for each value.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
pub(crate) fn expected_cosine(first: &Hyperplane, second: &Hyperplane, codes: usize) -> Option<f64> {
    let (first, second) = (&first.w, &second.w);
    let values = first.len();
    if codes < CODES_PER_VALUE * values {
        return None;
    }
    let cosine = dot(first, second) / (norm(first) * norm(second));
    if cosine.is_nan() || cosine <= 0.0 {
        return Some(0.0);
    }
    let (n, d) = (codes as f64, values as f64);
    let error = (1.0 - cosine).max(0.0) / cosine * (n / 2.0 - d - 1.0) / (n - d - 1.0);
    Some(1.0 / (1.0 + error).sqrt())
}
