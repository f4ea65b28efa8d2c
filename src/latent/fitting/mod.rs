//! Fitting a boundary to codes that a classifier scored.
//!
//! It never samples a code and never scores an image.
//!
//! | to find | look in |
//! | --- | --- |
//! | the options, and the steps of a fit | `fit`, `fit_method` |
//! | the checks of scored codes, and the accuracy of a hyperplane | `scored_codes` |
//! | the selection of samples with the highest and lowest scores | `score_ends` |
//! | the linear support vector machine | `svm` |
//! | the best direction that scored codes hold | `regression` |
//! | ridge regression, its strength and its error | `ridge`, `ridge_target`, `moments` |
//! | scores that saturate or have outliers | `normal_scores` |
//! | logistic regression of two classes | `logistic`, `separation` |
//! | codes with more values than there are codes | `span` |
//! | which of two fits separates two classes better | `side_comparison`, `area_under_curve` |
//! | what fits of several scores to the same codes share | `shared_codes` |
//! | how well a boundary does on other codes | `held_out` |
//! | how exact a direction is, by two halves of the codes | `agreement` |
//! | how exact it is where the noise differs from code to code | `unequal_noise` |
//! | the progress of a fit, and its cancellation | `progress` |

pub(crate) mod agreement;
pub(crate) mod area_under_curve;
pub(crate) mod error;
pub(crate) mod fit;
pub(crate) mod fit_method;
pub(crate) mod held_out;
pub(crate) mod hyperplane;
pub(crate) mod logistic;
pub(crate) mod moments;
pub(crate) mod normal_scores;
pub(crate) mod progress;
pub(crate) mod regression;
pub(crate) mod ridge;
pub(crate) mod ridge_target;
pub(crate) mod score_ends;
pub(crate) mod scored_codes;
pub(crate) mod separation;
pub(crate) mod shared_codes;
pub(crate) mod side_comparison;
pub(crate) mod span;
pub(crate) mod svm;
pub(crate) mod unequal_noise;
