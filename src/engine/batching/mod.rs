//! Requests become batches here: queues, the threads that run batches, and the size of a batch.
//!
//! It knows how work waits, how it is put together and how results go back. It never knows ONNX Runtime, and it never
//! decides whether a request is admitted (that is `admission`).
//!
//! | to find | look in |
//! | --- | --- |
//! | where requests become a batch | `batch_queue`: `BatchQueue::take` |
//! | the threads that run batches, replicas that open late | `batcher` |
//! | what a network must do to be batched | `batch_network` |
//! | synthesis in batches | `synthesizer` |
//! | gradients in batches | `gradient_runner` |
//! | gradients of scores in batches | `score_gradient_runner` |
//! | how many images a batch holds | `batch_size` |
//! | more images than one batch holds | `chunked_synthesis` |
//! | results on their way to the caller | `reply` |
//! | codes that an optimization moves step by step | `active_optimization` |

pub(crate) mod active_optimization;
pub(crate) mod batch_network;
pub(crate) mod batch_queue;
pub(crate) mod batch_size;
pub(crate) mod batcher;
pub(crate) mod chunked_synthesis;
pub(crate) mod gradient_runner;
pub(crate) mod reply;
pub(crate) mod score_gradient_runner;
pub(crate) mod synthesizer;
