//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![allow(clippy::too_many_lines, reason = "tables of cases are long")]

mod api;
mod api_keys;
mod batch;
mod batch_runs;
mod boundary_names;
mod broken_log;
mod check;
mod checkpoint;
mod commands;
mod conformance;
#[cfg(feature = "c2pa")]
mod content_credentials;
mod device_proof;
mod differentiation;
mod docs;
mod fitting;
mod gradient;
mod images;
mod import;
mod importing;
mod judging;
mod latent;
mod layers;
mod linear_generator;
mod model_changes;
mod model_folders;
mod monitoring;
mod observation;
mod onnx_session;
mod onnx_variants;
mod own_model_guide;
mod parity;
mod process;
mod reference;
#[cfg(target_os = "linux")]
mod request_memory;
mod server;
mod shared_store;
mod shutdown;
mod start;
mod store;
mod stored_models;
mod styled_generator;
mod support;
#[cfg(feature = "otlp")]
mod traces;
mod train_boundary;
