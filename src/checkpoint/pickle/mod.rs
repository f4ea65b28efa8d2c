//! Pickles, read as data: a stack machine that builds inert values.
//!
//! The machine knows a short list of classes and functions by name (`calls`). Every other call makes a record of its name
//! and its arguments. Nothing is imported or run.
//!
//! | to find | look in |
//! | --- | --- |
//! | the opcodes and their arguments | `instruction` |
//! | what an opcode does to the stack | `machine` |
//! | the values, which stay in a row until the end of the pickle so that no depth of nesting needs recursion | `heap` |
//! | the known classes and functions | `calls`, for tensors `torch_calls`, for arrays `numpy_calls` |
//! | the values as [`Object`](crate::checkpoint::Object)s | `conversion` |
//! | the limits | `budget` |

mod budget;
mod calls;
mod conversion;
mod heap;
mod input;
mod instruction;
mod machine;
mod numpy_calls;
mod storages;
mod torch_calls;

pub(super) use budget::Budget;
pub(super) use conversion::convert;
pub(super) use heap::{Heap, Node, Value};
pub(super) use input::Input;
pub(super) use machine::run;
pub(super) use storages::Storages;
