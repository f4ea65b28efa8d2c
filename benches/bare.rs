//! Bare sessions of ONNX Runtime with the service's settings, which the service is measured beside.

use std::path::Path;

use anyhow::Context as _;
use faceplane::catalog::Graph;
use ndarray::{ArrayD, ArrayViewD};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

/// The library's environment.
pub(crate) fn environment(onnxruntime: &Path) -> anyhow::Result<Environment> {
    let environment = ort::init_from(std::path::absolute(onnxruntime)?)?;
    Ok(environment.with_telemetry(false).build()?)
}

/// A session with the service's settings.
pub(crate) fn session(environment: &Environment, graph: &Graph, threads: usize) -> anyhow::Result<Session> {
    let session = Session::builder(environment)
        .and_then(|builder| Ok(builder.with_optimization_level(GraphOptimizationLevel::All)?))
        .and_then(|builder| Ok(builder.with_intra_threads(threads)?))
        .and_then(|builder| Ok(builder.with_inter_threads(1)?))
        .and_then(|builder| Ok(builder.with_intra_op_spinning(false)?))
        .and_then(|builder| Ok(builder.with_memory_pattern(false)?))
        .and_then(|mut builder| builder.commit_from_memory(&graph.bytes));
    session.with_context(|| graph.file.clone())
}

/// The first output of a graph that has one input.
pub(crate) fn run(session: &mut Session, input: ArrayViewD<'_, f32>) -> anyhow::Result<ArrayD<f32>> {
    let outputs = session.run(ort::inputs![TensorRef::from_array_view(input)?])?;
    Ok(outputs[0].try_extract_array::<f32>()?.to_owned())
}
