//! Jobs.

pub(crate) mod date;
pub(crate) mod job;
pub(crate) mod jobs;
