//! Edits of a finished graph: they change what it takes and returns, and cut parts out of it.
//!
//! Every edit keeps what the graph computes for the inputs that remain. None of them runs a graph.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a graph takes and returns | [`inputs`], [`outputs`] |
//! | weights of other files, moved into the graph | [`embed_weights`] |
//! | float16 and float64 graphs in float32, inputs of bytes | [`to_float32`], [`accept_float_input`] |
//! | an input that becomes a constant | [`bind`], [`bind_rows`] |
//! | nodes before an input or behind an output | [`Editor`] |
//! | a part of a graph | [`extract`] |
//! | tensors that all paths from the inputs to an output go through | [`Flow`] |

mod bind;
mod editor;
mod embed_weights;
mod extract;
mod float32;
mod flow;
mod ports;

pub use bind::{bind, bind_rows, replace_by_rows};
pub use editor::Editor;
pub(crate) use editor::rename_nodes;
pub use embed_weights::embed_weights;
pub use extract::extract;
pub use float32::{accept_float_input, to_float32};
pub use flow::{Flow, used};
pub use ports::{Port, drop_defaults, inputs, outputs};
