//! Networks.

pub(crate) mod classifier;
pub(crate) mod generator;
pub(crate) mod inversion;
pub(crate) mod panic;
pub(crate) mod priority;
pub(crate) mod recognizer;
pub(crate) mod thread;
pub(crate) mod worker;
