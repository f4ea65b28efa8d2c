//! faceplane: InterFaceGAN as an HTTP service.
pub mod catalog;
pub mod editor;
pub mod engine;
pub mod imaging;
pub mod latent;
