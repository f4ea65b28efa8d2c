//! The errors of scored codes, and of fitting a boundary to them.

use thiserror::Error;

/// Why a boundary cannot be fitted to scored codes. The message says what was found, what was expected, and what to do.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FitError {
    /// The numbers of codes and of scores differ.
    #[error(
        "found {scores} scores for {codes} codes; expected one score per code, in the order of the codes"
    )]
    ScoreCount {
        /// Number of scores.
        scores: usize,
        /// Number of codes.
        codes: usize,
    },

    /// A score is a NaN or an infinity.
    #[error(
        "found the score {found} for sample {sample}; expected a finite number: remove the sample, or set this score as \
         the invalid score"
    )]
    ScoreNotFinite {
        /// The sample, counted from 0.
        sample: usize,
        /// The score.
        found: f64,
    },

    /// All scores are equal.
    #[error(
        "found the score {score} for all {samples} samples; expected different scores: score more samples, or use a \
         classifier with scores that differ"
    )]
    ConstantScores {
        /// Number of samples with a score.
        samples: usize,
        /// The score.
        score: f64,
    },

    /// The two ends of the scores share a score that one of them consists of.
    #[error(
        "found the score {score} throughout one end of the scores and also in the other, with {chosen} samples selected \
         at each end; expected two classes: select fewer samples, or score more"
    )]
    OneClass {
        /// Number of samples selected at each end.
        chosen: usize,
        /// The score that both ends have.
        score: f64,
    },

    /// There are too few samples.
    #[error("found {found} samples {of}; expected at least {least}: {advice}")]
    TooFewSamples {
        /// Number of samples.
        found: usize,
        /// Least number of samples.
        least: usize,
        /// Which samples are counted.
        of: &'static str,
        /// What to do.
        advice: &'static str,
    },

    /// Codes have too many values for least squares.
    #[error(
        "found codes of {found} values for least squares; expected at most {most}: use the support vector machine"
    )]
    TooManyValues {
        /// Values of a code.
        found: usize,
        /// The most values.
        most: usize,
    },

    /// Some values of the codes depend linearly on others.
    #[error(
        "found linearly dependent values among the {dim} values of the codes; expected independent values: sample more codes, or \
         use the support vector machine"
    )]
    DependentValues {
        /// Values of a code.
        dim: usize,
    },

    /// An option of the fit is out of range.
    #[error("found {found} for the option `{option}`; expected {expected}")]
    OptionOutOfRange {
        /// Name of the option.
        option: &'static str,
        /// The value.
        found: f64,
        /// The range, and a common value.
        expected: &'static str,
    },

    /// The support vector machine or the logistic regression did not converge.
    #[error(
        "found an error of {gap} when the fit stopped after its last step; expected at most {tolerance}: {advice}"
    )]
    NotConverged {
        /// The error: of a margin for the machine, of the loss for the regression.
        gap: f64,
        /// The largest error that is accepted.
        tolerance: f64,
        /// What to do.
        advice: &'static str,
    },

    /// The caller cancelled the fit.
    #[error("the fit was cancelled before it ended; start it again if you still need it")]
    Cancelled,
}
