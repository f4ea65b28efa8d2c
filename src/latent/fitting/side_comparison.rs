//! Which of two kinds of fits separates the codes of both halves better by their sides.

use crate::latent::fitting::area_under_curve::AreaDifference;

/// The most codes of each half on which two fits are compared. With so many, the standard error of the comparison is below 0.002.
const MAX_COMPARED: usize = 20_000;

/// Whether enough of the codes that are compared are on either side.
pub(crate) fn can_compare(halves: &[Vec<usize>; 2], sides: &[f64]) -> bool {
    let enough = |half: &Vec<usize>| has_both(&compared(half), sides, AreaDifference::LEAST_OF_CLASS);
    halves.iter().all(enough)
}

/// Whether the first of two kinds of values separates the codes of the halves better, by more than the standard error. Each kind has a
/// value for each code of both halves.
pub(crate) fn separates_better(
    halves: &[Vec<usize>; 2],
    [values, others]: &[[Vec<f64>; 2]; 2],
    sides: &[f64],
) -> bool {
    let (mut difference, mut variance) = (0.0, 0.0);
    for (half, (values, others)) in halves.iter().zip(values.iter().zip(others)) {
        let positive: Vec<bool> = compared(half).iter().map(|&index| sides[index] > 0.0).collect();
        let found = AreaDifference::between(&compared(values), &compared(others), &positive);
        difference += found.difference;
        variance += found.variance;
    }
    difference > variance.sqrt()
}

/// Whether each side has at least `least` of the codes.
pub(crate) fn has_both(codes: &[usize], sides: &[f64], least: usize) -> bool {
    let positive = codes.iter().filter(|&&index| sides[index] > 0.0).count();
    positive.min(codes.len() - positive) >= least
}

/// Some items of a half, evenly spread, on which fits are compared.
fn compared<T: Copy>(half: &[T]) -> Vec<T> {
    let step = half.len().div_ceil(MAX_COMPARED).max(1);
    half.iter().step_by(step).copied().collect()
}
