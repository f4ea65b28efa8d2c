//! Svm.

pub(crate) mod newton;
pub(crate) mod smo;
pub(crate) mod svm;
