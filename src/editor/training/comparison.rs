//! Which is better: a new boundary, or the one that the model has.

use ndarray::{Array1, ArrayView1, ArrayView3, Axis};

use crate::latent::{Boundary, correlation, normal_quantiles};

/// One of this many samples is held out from the fit, to compare the boundaries.
pub(crate) const HELD_OUT: usize = 5;

/// By how many standard errors a new boundary must be better to replace the current one.
const CLEARLY: f64 = 2.0;

/// How a new boundary compares with the current one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The attribute of the boundaries.
    pub attribute: String,
    /// Whether the new boundary is kept, and why.
    pub reason: ComparisonReason,
    /// The number of samples that were held out from the new fit.
    pub samples: usize,
    /// The correlation of the ranks of distance and score on these samples, as normal quantiles, for the new boundary.
    pub new: Option<f64>,
    /// The same for the current boundary.
    pub current: Option<f64>,
}

/// Why a boundary is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonReason {
    /// The new one: there is no other.
    NoCurrent,
    /// The new one: it is better, by more than chance.
    NewIsBetter,
    /// The current one: the new one is not better, or by no more than chance.
    NewIsNotBetter,
    /// The current one: it was fitted to the samples by which it would be judged.
    SameSamples,
}

impl Comparison {
    /// Whether the model gets the new boundary.
    #[must_use]
    pub fn keeps_new(&self) -> bool {
        match self.reason {
            ComparisonReason::NoCurrent | ComparisonReason::NewIsBetter => true,
            ComparisonReason::NewIsNotBetter | ComparisonReason::SameSamples => false,
        }
    }

    /// Compares `new` with `current` by `scores` of `codes` [samples, rows, dim] that `new` was not fitted to. `has_seen` says
    /// whether `current` was.
    pub(crate) fn of(
        new: &Boundary,
        current: Option<&Boundary>,
        has_seen: bool,
        codes: ArrayView3<'_, f32>,
        scores: ArrayView1<'_, f64>,
    ) -> Self {
        let of_new = distances(new, codes);
        let of_current = current.map(|current| distances(current, codes));
        let with_scores = |distances: &Array1<f64>| correlation_of(distances.view(), scores);
        let figures = (with_scores(&of_new), of_current.as_ref().and_then(with_scores));
        let between = of_current
            .as_ref()
            .and_then(|current| correlation_of(of_new.view(), current.view()));
        let is_better = match (figures, between) {
            ((Some(new), Some(current)), Some(between)) => {
                is_clearly_higher([new, current], between, scores.len())
            }
            ((new, _), _) => new.is_some(),
        };
        let reason = match current {
            None => ComparisonReason::NoCurrent,
            Some(_) if has_seen => ComparisonReason::SameSamples,
            Some(_) if is_better => ComparisonReason::NewIsBetter,
            Some(_) => ComparisonReason::NewIsNotBetter,
        };
        Self {
            attribute: new.attribute().to_owned(),
            reason,
            samples: scores.len(),
            new: figures.0,
            current: figures.1,
        }
    }
}

/// The places of codes along the normal of a boundary.
fn distances(boundary: &Boundary, codes: ArrayView3<'_, f32>) -> Array1<f64> {
    let along = |code: ndarray::ArrayView2<'_, f32>| {
        let products = code.iter().zip(boundary.normal()).map(|(&x, n)| f64::from(x) * n);
        products.sum::<f64>()
    };
    codes.outer_iter().map(along).collect()
}

/// The correlation of the ranks of two lists; `None` if the values of one are all alike.
///
/// Where the score rises along a direction, whether evenly or not, no other direction has a higher one. The correlation of the values
/// themselves is higher for a direction that follows how unevenly they rise.
fn correlation_of(one: ArrayView1<'_, f64>, other: ArrayView1<'_, f64>) -> Option<f64> {
    let [one, other] = [one, other].map(|values| Array1::from(normal_quantiles(&values.to_vec())));
    let columns =
        ndarray::stack(Axis(1), &[one.view(), other.view()]).expect("both have a value for each sample");
    Some(correlation(columns.view()).ok()?[[0, 1]])
}

/// Whether the first of two correlations with the scores is higher by more than [`CLEARLY`] standard errors of the difference. `between` is
/// the correlation of the new distances with the current ones, all over `count` samples.
///
/// A current boundary whose distances do not rise with the score is worth nothing: the new correlation must only be that much above 0.
///
/// Williams' test: E. J. Williams, *The comparison of regression variables* (1959), in the form of J. H. Steiger, *Tests for comparing
/// elements of a correlation matrix* (1980), equation 7.
#[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 samples")]
fn is_clearly_higher([new, current]: [f64; 2], between: f64, count: usize) -> bool {
    if new <= current || count <= 3 {
        return false;
    }
    let count = count as f64;
    if current <= 0.0 {
        return new > 0.0 && new.powi(2) * (count - 2.0) > CLEARLY.powi(2) * (1.0 - new.powi(2));
    }
    let determinant = 1.0 - new.powi(2) - current.powi(2) - between.powi(2) + 2.0 * new * current * between;
    let mean = f64::midpoint(new, current);
    let variance =
        2.0 * determinant.max(0.0) * (count - 1.0) / (count - 3.0) + mean.powi(2) * (1.0 - between).powi(3);
    (new - current).powi(2) * (count - 1.0) * (1.0 + between) > CLEARLY.powi(2) * variance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::standard_normal;

    #[test]
    fn a_correlation_is_clearly_higher_by_two_standard_errors() {
        // Williams' t is 1.82 with 103 samples, and 2.28 with 160.
        assert!(!is_clearly_higher([0.5, 0.4], 0.8, 103));
        assert!(is_clearly_higher([0.5, 0.4], 0.8, 160));
    }

    #[test]
    fn equal_and_lower_correlations_and_few_samples_are_not_clearly_higher() {
        for (new, current, between, count) in
            [(0.9, 0.9, 1.0, 1000), (0.8, 0.9, 0.5, 1000), (0.9, 0.1, 0.0, 3)]
        {
            assert!(!is_clearly_higher([new, current], between, count));
        }
        assert!(is_clearly_higher([1.0, 0.9], 0.9, 10));
    }

    #[test]
    fn a_score_that_rises_unevenly_is_followed_best_along_its_own_direction() {
        let (along, other) = (standard_normal(1, 1000), standard_normal(2, 1000));
        let scores: Array1<f64> = along.iter().map(|value| (3.0 * value).exp()).collect();
        let tilted = |share: f64| -> Array1<f64> {
            along
                .iter()
                .zip(&other)
                .map(|(one, other)| one + share * other)
                .collect()
        };
        let found = [0.0, 0.3, 1.0].map(|share| correlation_of(tilted(share).view(), scores.view()).unwrap());
        assert!(found[0] > 0.999 && found[1] < 0.98 && found[2] < 0.8, "{found:?}");
        // A score with many equal values is no obstacle, one without two values is.
        let sides = scores.mapv(|score| f64::from(u8::from(score > 1.0)));
        assert!(correlation_of(tilted(0.0).view(), sides.view()).unwrap() > 0.7);
        assert!(correlation_of(tilted(0.0).view(), Array1::zeros(1000).view()).is_none());
    }

    #[test]
    fn a_boundary_that_looks_the_wrong_way_is_replaced_by_its_opposite() {
        assert!(is_clearly_higher([0.9, -0.9], -1.0, 50));
        assert!(is_clearly_higher([0.5, 0.0], 0.0, 50));
        assert!(!is_clearly_higher([0.1, -0.1], -1.0, 50), "both may be chance");
    }
}
