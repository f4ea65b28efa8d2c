//! Networks at work: the only folder that names `ort`.
//!
//! A network is a synchronous thing with `&mut self` ([`Generator`], [`Classifier`]). Each is owned by one thread of its
//! own behind a bounded queue (`worker`), and [`Engine`] is the cheap handle that async code holds: it has no
//! lock, and a caller that goes away takes its queued work along.

mod classifier;
mod error;
mod generator;
mod handle;
mod network;
mod onnx_classifier;
mod onnx_generator;
mod open;
mod runtime;
mod worker;

pub use classifier::Classifier;
pub use error::EngineError;
pub use generator::{Generator, GeneratorShape, SynthesisInput};
pub use handle::Engine;
pub use open::open;
pub use runtime::Runtime;
