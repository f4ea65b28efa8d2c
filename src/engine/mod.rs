//! Networks at work: the only folder that names `ort`.
//!
//! A network is a synchronous thing with `&mut self` ([`Mapping`], [`Generator`], [`Classifier`]). Each is owned by one
//! thread of its own: a `worker`, or for generators a `batcher`, where requests become batches. Images wait in a `queue`.
//! [`Engine`] is the cheap handle that async code holds: it admits so many images and no more, and a caller that goes away
//! takes its waiting images along.

mod admission;
mod arrangement;
mod batch_size;
mod batcher;
mod classifier;
mod deadline;
mod descending;
mod device;
mod drawing;
mod error;
#[cfg(test)]
mod gate;
mod generator;
mod gpu_sessions;
mod handle;
mod image_input;
mod inversion;
mod line;
mod network;
mod onnx_classifier;
mod onnx_encoder;
mod onnx_generator;
mod onnx_gradient;
mod onnx_landmarker;
mod onnx_mapping;
mod onnx_recognizer;
mod open;
mod panic;
mod priority;
mod queue;
mod recognizer;
mod room;
mod runtime;
mod slopes;
mod surge;
mod taker;
mod thread;
mod timings;
mod worker;

pub use admission::Admission;
pub use batch_size::BatchSize;
pub use classifier::Classifier;
pub use deadline::{time_left, within};
pub use descending::Descending;
pub use device::{Device, UnknownDevice};
pub use drawing::Drawing;
pub use error::EngineError;
pub use generator::{Generator, GeneratorShape, Images, Mapping, SynthesisInput};
pub use handle::{Engine, Networks, Reserve, Waiting};
pub use inversion::{Encoder, Gradient, Landmarker, Slope};
pub use open::{Operation, open};
pub use recognizer::Recognizer;
pub use runtime::Runtime;
pub use thread::closed;
pub use timings::Timings;
