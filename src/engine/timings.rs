//! How long the steps of a request took.

use std::time::Duration;

/// Time that the steps of a request have taken so far. A request can do a step several times; the times are added up.
///
/// Except for synthesis, a network's time includes the time in its queue. A run for several requests counts fully for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// The mapping network.
    pub mapping: Duration,
    /// Time in the queue of the synthesis network.
    pub queue: Duration,
    /// Runs of the synthesis network.
    pub synthesis: Duration,
    /// The classifiers.
    pub scoring: Duration,
    /// Decoding an uploaded image, and aligning its face.
    pub decoding: Duration,
    /// The landmark network.
    pub landmarks: Duration,
    /// The identity network.
    pub identity: Duration,
    /// The encoder.
    pub encoder: Duration,
    /// The gradient network.
    pub optimization: Duration,
}
