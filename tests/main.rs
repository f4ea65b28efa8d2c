//! All integration tests, in one binary.

mod api;
mod conformance;
mod latent;
mod layers;
mod parity;
mod start;
mod support;
