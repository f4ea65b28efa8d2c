//! faceplane: InterFaceGAN as an HTTP service.
pub mod api;
pub mod catalog;
pub mod cli;
pub mod editor;
pub mod engine;
pub mod imaging;
pub mod latent;
pub mod metrics;
pub mod server;
pub mod telemetry;
pub mod telemetry_opt_out;
