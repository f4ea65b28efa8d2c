//! Judging.

pub(crate) mod identity;
pub(crate) mod report;
pub(crate) mod rescoring;
