//! Networks at work: the only folder that names `ort`.
//!
//! A network is a synchronous thing with `&mut self` ([`Generator`], [`Classifier`]). Each is owned by one thread of its
//! own (`batcher`, where requests become batches, and `worker`), and [`Engine`] is the cheap handle that async code
//! holds: it has no lock, it admits so many images and no more, and a caller that goes away takes its waiting images along.

mod batcher;
mod classifier;
mod error;
mod generator;
mod handle;
mod network;
mod onnx_classifier;
mod onnx_generator;
mod open;
mod panic;
mod runtime;
mod timings;
mod worker;

pub use classifier::Classifier;
pub use error::EngineError;
pub use generator::{Generator, GeneratorShape, Images, SynthesisInput};
pub use handle::{Admission, Engine};
pub use open::open;
pub use runtime::Runtime;
pub use timings::Timings;
