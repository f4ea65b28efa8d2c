//! ONNX graphs in memory: read, build, edit, differentiate, write.
//!
//! It never runs a graph: `engine/onnx` does.
//!
//! | to find | look in |
//! | --- | --- |
//! | an ONNX file, read or written | [`Model`] |
//! | the files of external weights, and random nodes, without reading weights | [`Outline`] |
//! | a graph of float16 or uint8 with inputs and outputs of float32 | [`with_float_interface`] |
//! | how a graph is built | [`GraphBuilder`], [`operators`] |
//! | the shapes of a graph's tensors | [`shapes`] |
//! | the graph of a loss and its gradient | [`gradient`] |
//! | the matrices that multiply a latent code | [`affine_weights`] |
//! | the styles of a synthesis graph's layers | [`StyleLayers`] |
//! | how a finished graph is changed | [`edits`] |
//! | the messages of the file format | [`proto`] |

mod affine_weights;
mod attributes;
mod builder;
mod constants;
pub mod edits;
mod error;
mod float_interface;
pub mod gradient;
mod model;
pub mod operators;
mod outline;
pub mod proto;
pub mod shapes;
mod styles;
mod tensors;

pub use affine_weights::affine_weights;
pub use builder::{GraphBuilder, OPERATOR_SET, Value, float, integer, integers, string};
pub use error::GraphError;
pub use float_interface::{FloatInterface, with_float_interface};
pub use model::Model;
pub use outline::{Outline, RANDOM_OPERATORS};
pub use styles::StyleLayers;
pub use tensors::{Axis, float_tensor, float_value, integer_tensor, scalar, signed, undeclared_value};
