//! Training: boundaries are fitted to scored codes.
//!
//! | to find | look in |
//! | --- | --- |
//! | what to train, and from which codes | `request` |
//! | how a boundary is fitted in a job, and what is recorded about it | `trainer` |
//! | how codes are sampled, synthesized and scored in the background | `sample_scores` |
//! | when to stop sampling | `settling` |
//! | how much memory codes and their fit take | `code_memory` |
//! | whether a new boundary or the current one is better | `comparison` |
//! | samples that are kept after their training | `kept_samples` |
//! | codes and scores from files, and the boundary between them without a model | `labelled_codes` |
//!
//! The fit itself is [`BoundaryFit`](crate::latent::BoundaryFit). Training never knows jobs, nor where boundaries are kept.

pub(crate) mod code_memory;
pub(crate) mod comparison;
pub(crate) mod kept_samples;
pub(crate) mod labelled_codes;
pub(crate) mod request;
pub(crate) mod sample_scores;
pub(crate) mod settling;
pub(crate) mod trainer;
