//! The shapes of the tensors of a graph, with an open batch.
//!
//! | to find | look in |
//! | --- | --- |
//! | the tensors that nodes make | [`Shapes`] |
//! | the length of an axis | [`Length`] |
//! | the inputs of a node, as rules read them | `inputs` |
//! | the rules of operators | `elementwise`, `axes`, `indexing`, `windows`, `products` |

mod axes;
mod elementwise;
mod indexing;
mod inference;
mod inputs;
mod length;
mod products;
mod tensor;
mod windows;

pub(crate) use indexing::{Range, margins, slice_ranges};
pub use inference::Shapes;
pub(crate) use inputs::axis;
pub use length::Length;
pub(crate) use length::{broadcast, describe, elements};
pub use tensor::Tensor;
pub(crate) use windows::Window;
