//! Fitting a boundary to codes that a classifier scored.
//!
//! It never samples a code and never scores an image.
//!
//! | to find | look in |
//! | --- | --- |
//! | the options, and the steps of a fit | `fit` |
//! | the checks of scored codes, and the accuracy of a hyperplane | `scored_codes` |
//! | the selection of samples with the highest and lowest scores | `score_ends` |
//! | the linear support vector machine | `svm` |
//! | least squares on all scores | `least_squares` |
//! | the progress of a fit, and its cancellation | `progress` |

pub(crate) mod error;
pub(crate) mod fit;
pub(crate) mod hyperplane;
pub(crate) mod least_squares;
pub(crate) mod progress;
pub(crate) mod score_ends;
pub(crate) mod scored_codes;
pub(crate) mod svm;
