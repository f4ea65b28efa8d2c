//! The handlers, a file for each resource. A handler decodes the request, calls the editor once, and encodes the answer.

pub(crate) mod boundaries;
pub(crate) mod edit;
pub(crate) mod health;
pub(crate) mod invert;
pub(crate) mod jobs;
pub(crate) mod metrics;
pub(crate) mod models;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod training;
