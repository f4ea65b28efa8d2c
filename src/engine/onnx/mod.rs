//! Onnx.

pub(crate) mod classifier;
pub(crate) mod device;
pub(crate) mod encoder;
pub(crate) mod generator;
pub(crate) mod gpu_sessions;
pub(crate) mod gradient;
pub(crate) mod image_input;
pub(crate) mod landmarker;
pub(crate) mod mapping;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod recognizer;
pub(crate) mod replica_tuning;
pub(crate) mod runtime;
