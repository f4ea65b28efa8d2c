//! Training.

pub(crate) mod labelled_codes;
pub(crate) mod train;
