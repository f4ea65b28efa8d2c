//! Batching.

pub(crate) mod active_optimization;
pub(crate) mod batch_size;
pub(crate) mod batcher;
pub(crate) mod chunked_synthesis;
pub(crate) mod gradient_batcher;
pub(crate) mod gradient_queue;
pub(crate) mod queue;
pub(crate) mod reply;
