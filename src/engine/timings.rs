//! Where a request's time went.

use std::time::Duration;

/// Time that a request's images have taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Mapping runs, and waiting for them.
    pub mapping: Duration,
    /// Waiting for synthesis.
    pub queue: Duration,
    /// Synthesis runs, each counted whole for every request that has images in it.
    pub synthesis: Duration,
    /// Classifier runs, and waiting for them.
    pub scoring: Duration,
    /// Decoding the picture that came, and framing it.
    pub decoding: Duration,
    /// Runs of the landmark graph, and waiting for them.
    pub landmarks: Duration,
    /// Runs of the identity graph, and waiting for them.
    pub identity: Duration,
    /// Encoder runs, and waiting for them.
    pub encoder: Duration,
    /// Runs of the gradient graph, and waiting for them.
    pub optimization: Duration,
}
