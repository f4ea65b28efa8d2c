//! All integration tests, in one binary.

mod latent;
mod parity;
