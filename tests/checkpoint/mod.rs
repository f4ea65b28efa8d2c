//! Checkpoints: what is read, and what is refused.

mod fixtures;
