//! Fitting.

pub(crate) mod progress;
pub(crate) mod regression;
pub(crate) mod separation;
pub(crate) mod svm;
