//! The options of a run that can be terminated.

use std::sync::Arc;

use ort::session::RunOptions;

/// Options for one run, and a function that terminates it: ONNX Runtime then starts no further node of the graph.
pub(crate) fn terminable() -> ort::Result<(Arc<RunOptions>, impl FnOnce() + Send + 'static)> {
    let options = Arc::new(RunOptions::new()?);
    let terminated = Arc::clone(&options);
    let terminate = move || {
        if let Err(error) = terminated.terminate() {
            tracing::error!(%error, "ONNX Runtime cannot terminate a run");
        }
    };
    Ok((options, terminate))
}
