//! faceplane: InterFaceGAN as an HTTP service.
pub mod api;
pub mod catalog;
pub mod config;
pub mod editor;
pub mod engine;
pub mod imaging;
pub mod latent;
pub mod metrics;
pub mod privacy;
pub mod probe;
pub mod server;
pub mod telemetry;
pub mod train_boundary;
