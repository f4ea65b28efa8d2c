//! Which is better: a new boundary, or the one that the model has.

use ndarray::{Array2, ArrayView1, ArrayView3};

use crate::latent::{Boundary, correlation};

/// One of this many samples is held out from the fit, to compare the boundaries.
pub(crate) const HELD_OUT: usize = 5;

/// How a new boundary compares with the current one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The attribute of the boundaries.
    pub attribute: String,
    /// Whether the new boundary is kept, and why.
    pub reason: ComparisonReason,
    /// The number of samples that were held out from the new fit.
    pub samples: usize,
    /// The correlation of distance and score on these samples, for the new boundary.
    pub new: Option<f64>,
    /// The same for the current boundary.
    pub current: Option<f64>,
}

/// Why a boundary is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonReason {
    /// The new one: there is no other.
    NoCurrent,
    /// The new one: it is better.
    NewIsBetter,
    /// The current one: the new one is not better.
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
        let figure = |boundary| correlation_on(boundary, codes, scores);
        let (of_new, of_current) = (figure(new), current.and_then(figure));
        let reason = match current {
            None => ComparisonReason::NoCurrent,
            Some(_) if has_seen => ComparisonReason::SameSamples,
            Some(_) if of_new.is_some_and(|new| of_current.is_none_or(|current| new > current)) => {
                ComparisonReason::NewIsBetter
            }
            Some(_) => ComparisonReason::NewIsNotBetter,
        };
        Self {
            attribute: new.attribute().to_owned(),
            reason,
            samples: scores.len(),
            new: of_new,
            current: of_current,
        }
    }
}

/// The correlation between score and distance from `boundary`; `None` if the scores or the distances are all alike.
fn correlation_on(
    boundary: &Boundary,
    codes: ArrayView3<'_, f32>,
    scores: ArrayView1<'_, f64>,
) -> Option<f64> {
    let along = |code: ndarray::ArrayView2<'_, f32>| {
        let products = code.iter().zip(boundary.normal()).map(|(&x, n)| f64::from(x) * n);
        products.sum::<f64>()
    };
    let mut columns = Array2::zeros((scores.len(), 2));
    for ((mut row, code), score) in columns.outer_iter_mut().zip(codes.outer_iter()).zip(scores) {
        (row[0], row[1]) = (along(code), *score);
    }
    Some(correlation(columns.view()).ok()?[[0, 1]])
}
