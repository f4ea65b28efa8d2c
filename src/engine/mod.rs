//! Runs networks: the only folder that names `ort`.
//!
//! A network is a synchronous trait with `&mut self` (`networks`), because an ONNX Runtime session is one. Each network has a
//! thread of its own. [`Engine`] is the handle that async code holds: it admits a request, and the [`Admission`] calls the
//! networks. If a caller goes away, its waiting images are dropped.
//!
//! It knows codes, images, batches and waits. It never knows HTTP, image formats or what an edit is.
//!
//! | to find | look in |
//! | --- | --- |
//! | where a request is accepted, or refused with 503 | `admission` |
//! | where sustained overload is detected | `admission::overload` |
//! | the limit on memory | [`ByteBudget`] |
//! | where requests become a batch | `batching` |
//! | what a network does | `networks` |
//! | ONNX Runtime: sessions, devices, opening a model | `onnx` |
//! | the handle of a model's networks | [`Engine`] |

pub(crate) mod admission;
pub(crate) mod batching;
#[expect(clippy::module_inception, reason = "a file has the name of its type")]
mod engine;
mod error;
pub(crate) mod networks;
pub(crate) mod onnx;
mod running_networks;
mod score_gradients;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;
mod timings;

pub use admission::admission::Admission;
pub use admission::byte_budget::{ByteBudget, MemoryError, MemoryUse, Reservation};
pub use admission::deadline::{ChangePermit, change_permit, time_left, within};
pub use admission::limiter::QueueLimits;
pub use batching::active_optimization::ActiveOptimization;
pub use batching::batch_size::BatchSize;
pub use batching::chunked_synthesis::ChunkedSynthesis;
pub use engine::{Engine, Networks};
pub use error::EngineError;
pub use networks::classifier::Classifier;
pub use networks::encoder::Encoder;
pub use networks::generator::{Generator, Images, LazyReplica};
pub use networks::generator_shape::{GeneratorShape, SynthesisInput};
pub use networks::gradient::{Gradient, LossGradient};
pub use networks::landmarker::Landmarker;
pub use networks::mapping::Mapping;
pub use networks::recognizer::Recognizer;
pub use networks::score_gradient::{
    MappingGradient, OpenScoreGradients, ScoreGradient, ScoreGradientNetworks, WeightedGradients,
};
pub use networks::style_mapping::StyleMapping;
pub use networks::synthesis_codes::SynthesisCodes;
pub use networks::thread::wait_for_threads;
pub use networks::truth::Truth;
pub use networks::watchdog::{StuckNetwork, Watchdog};
pub use onnx::device::{Device, UnknownDevice};
pub use onnx::open::{EngineOptions, open};
pub use onnx::replica_tuning::Replicas;
pub use onnx::run_once::run_once;
pub use onnx::runtime::Runtime;
pub use onnx::truth::open_truth;
pub use timings::Timings;
