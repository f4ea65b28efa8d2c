//! Admission.

pub(crate) mod admission;
pub(crate) mod deadline;
pub(crate) mod limiter;
pub(crate) mod overload;
