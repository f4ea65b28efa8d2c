//! Inversion.

pub(crate) mod invert;
pub(crate) mod iterative_encoding;
pub(crate) mod optimization;
