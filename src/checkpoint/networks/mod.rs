//! The networks in the objects of a file: modules, TensorFlow-era networks and state dicts.

mod all_tensors;
mod module;
mod names;
mod search;
mod tensorflow;

pub(super) use all_tensors::all_tensors;
pub(super) use search::find;
