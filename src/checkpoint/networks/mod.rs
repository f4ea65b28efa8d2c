//! The networks in the objects of a file: modules, TensorFlow-era networks and state dicts.

mod module;
mod search;
mod tensorflow;

pub(super) use search::find;
