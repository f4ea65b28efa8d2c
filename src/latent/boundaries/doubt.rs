//! Doubts about a boundary, by the figures of its fit.

use std::fmt;

use crate::latent::Provenance;
use crate::latent::fitting::regression::LOGISTIC;

/// A lower share of held-out codes on the right side is doubtful.
const LEAST_ACCURACY: f64 = 0.7;
/// A lower correlation between distance and score is doubtful.
const LEAST_CORRELATION: f64 = 0.5;
/// A lower expected cosine is doubtful: at 0.95, a third of the length of an edit goes in other directions.
const LEAST_COSINE: f64 = 0.95;

/// A reason why a boundary may be worse than it looks, or a fact about its scores that changes what its figures mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doubt {
    /// There were only two different scores, which were taken as classes that count alike.
    Classes {
        /// Number of codes with the lower score, and with the higher one.
        counts: [u64; 2],
    },
    /// There were only two different scores, and the method took them for something else.
    UnusedClasses {
        /// Number of codes with the lower score, and with the higher one.
        counts: [u64; 2],
    },
    /// Few held-out codes are on the right side.
    Accuracy {
        /// Their share, 0 to 1.
        found: f64,
    },
    /// Distance and score of held-out codes hardly correlate.
    Correlation {
        /// The correlation.
        found: f64,
    },
    /// The normal is far from the one of unlimited samples.
    Cosine {
        /// The expected cosine between them.
        found: f64,
    },
    /// That cosine could not be estimated: there were too few samples.
    UnknownCosine,
    /// No code was held out from the fit.
    NotTested,
}

impl Doubt {
    /// The doubts about a boundary. A boundary without figures of a fit has none.
    #[must_use]
    pub fn of(provenance: &Provenance) -> Vec<Self> {
        let accuracy = &provenance.accuracy;
        let classes = provenance
            .classes
            .map(|counts| match provenance.method.as_deref() {
                Some(LOGISTIC) => Self::Classes { counts },
                _ => Self::UnusedClasses { counts },
            });
        let held_out = accuracy.held_out_all.filter(|&found| found < LEAST_ACCURACY);
        let correlation = accuracy.correlation.filter(|&found| found < LEAST_CORRELATION);
        let cosine = match accuracy.cosine {
            Some(found) => (found < LEAST_COSINE).then_some(Self::Cosine { found }),
            None => accuracy
                .all
                .or(accuracy.held_out_all)
                .map(|_| Self::UnknownCosine),
        };
        let is_tested = accuracy.held_out_all.or(accuracy.held_out).is_some();
        let doubts = [
            classes,
            (accuracy.all.is_some() && !is_tested).then_some(Self::NotTested),
            held_out.map(|found| Self::Accuracy { found }),
            correlation.map(|found| Self::Correlation { found }),
            cosine,
        ];
        doubts.into_iter().flatten().collect()
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Classes {
                counts: [lower, higher],
            } => write!(
                formatter,
                "found two different scores, the lower one {lower} times and the higher one {higher} times: they are taken as \
                 classes, all samples are used, and both classes count alike"
            ),
            Self::UnusedClasses {
                counts: [lower, higher],
            } => write!(
                formatter,
                "found two different scores, the lower one {lower} times and the higher one {higher} times, and a method that does \
                 not take them as classes: the method `regression` uses all samples and counts both alike, if they or the values of a code \
                 are at most 4,096"
            ),
            Self::Accuracy { found } => write!(
                formatter,
                "found {:.1} % of held-out samples on the right side, expected at least {:.0} %: the scores may not depend on \
                 the codes along a straight line, or the threshold may lie at their end",
                100.0 * found,
                100.0 * LEAST_ACCURACY
            ),
            Self::Correlation { found } => write!(
                formatter,
                "found a correlation of {found:.2} between distance and score on held-out samples, expected at least \
                 {LEAST_CORRELATION}: the score will change little along the normal"
            ),
            Self::Cosine { found } => write!(
                formatter,
                "found an expected cosine of {found:.3} with the normal that unlimited samples would give, expected at least \
                 {LEAST_COSINE}: edits also change other attributes; use more samples"
            ),
            Self::NotTested => formatter.write_str(
                "no sample was held out from the fit, expected some on either side of the threshold: nothing is known of how well the \
                 boundary does on other samples; use more of them",
            ),
            Self::UnknownCosine => formatter.write_str(
                "the error of the normal is unknown, expected at least ten samples for each value of a code, and values that do not \
                 depend on each other: use more samples",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::Accuracy;

    fn doubts(accuracy: Accuracy) -> Vec<Doubt> {
        Doubt::of(&Provenance {
            accuracy,
            ..Provenance::default()
        })
    }

    const GOOD: Accuracy = Accuracy {
        train: None,
        held_out: Some(1.0),
        held_out_all: Some(0.9),
        all: Some(0.9),
        correlation: Some(0.8),
        cosine: Some(0.99),
        score_per_unit: Some(1.0),
    };

    #[test]
    fn each_low_figure_is_a_doubt() {
        assert_eq!(doubts(GOOD), []);
        let cases = [
            (
                Accuracy {
                    held_out_all: Some(0.6),
                    ..GOOD
                },
                Doubt::Accuracy { found: 0.6 },
            ),
            (
                Accuracy {
                    correlation: Some(-0.1),
                    ..GOOD
                },
                Doubt::Correlation { found: -0.1 },
            ),
            (
                Accuracy {
                    cosine: Some(0.84),
                    ..GOOD
                },
                Doubt::Cosine { found: 0.84 },
            ),
            (Accuracy { cosine: None, ..GOOD }, Doubt::UnknownCosine),
            (
                Accuracy {
                    held_out: None,
                    held_out_all: None,
                    ..GOOD
                },
                Doubt::NotTested,
            ),
        ];
        for (accuracy, expected) in cases {
            assert_eq!(doubts(accuracy), [expected], "{expected}");
        }
    }

    #[test]
    fn a_boundary_without_figures_raises_no_doubt() {
        let published = Accuracy {
            held_out: Some(0.98),
            ..Accuracy::default()
        };
        assert_eq!(doubts(published), []);
    }
}
