//! Networks at work: the only folder that names `ort`.
//!
//! A network is a synchronous thing with `&mut self` ([`Mapping`], [`Generator`], [`Classifier`]). Each is owned by one
//! thread of its own: a `worker`, or for generators a `batcher`, where requests become batches. Images wait in a `queue`.
//! [`Engine`] is the cheap handle that async code holds: it admits so many images and no more, and a caller that goes away
//! takes its waiting images along.

pub(crate) mod admission;
pub(crate) mod batching;
mod error;
mod handle;
pub(crate) mod networks;
pub(crate) mod onnx;
#[cfg(test)]
mod test_support;
mod timings;

pub use admission::admission::Admission;
pub use admission::deadline::{time_left, within};
pub use batching::active_optimization::ActiveOptimization;
pub use batching::batch_size::BatchSize;
pub use batching::chunked_synthesis::ChunkedSynthesis;
pub use error::EngineError;
pub use handle::{Engine, LazyReplica, Networks, QueueLimits};
pub use networks::classifier::Classifier;
pub use networks::generator::{Generator, GeneratorShape, Images, Mapping, SynthesisInput};
pub use networks::inversion::{Encoder, Gradient, Landmarker, LossGradient};
pub use networks::recognizer::Recognizer;
pub use networks::thread::wait_for_threads;
pub use onnx::device::{Device, UnknownDevice};
pub use onnx::open::{Operation, open};
pub use onnx::runtime::Runtime;
pub use timings::Timings;
