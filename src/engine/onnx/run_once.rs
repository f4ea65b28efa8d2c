//! One run of a graph outside of a model folder: to learn what the graph does not declare.

use ndarray::{ArrayD, ArrayViewD};
use ort::session::SessionInputValue;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use crate::catalog::Graph;
use crate::engine::{EngineError, Runtime};
use crate::graph::Model;

/// A function that runs a graph on f32 inputs, by name, and returns its f32 outputs in their order. Random nodes are
/// permitted. An error is ONNX Runtime's message.
#[expect(
    clippy::type_complexity,
    reason = "each caller has its own name for the function"
)]
pub fn run_once(
    runtime: &Runtime,
) -> impl Fn(&Model, &[(&str, ArrayViewD<'_, f32>)]) -> Result<Vec<ArrayD<f32>>, String> {
    |model: &Model, inputs: &[(&str, ArrayViewD<'_, f32>)]| {
        run(runtime, model, inputs).map_err(|error| error.to_string())
    }
}

fn run(
    runtime: &Runtime,
    model: &Model,
    inputs: &[(&str, ArrayViewD<'_, f32>)],
) -> Result<Vec<ArrayD<f32>>, EngineError> {
    let graph = Graph::new("the graph".to_owned(), model.to_bytes().into());
    // Optimizing takes longer than one run that is not optimized.
    let mut session = runtime.any_session(&graph, GraphOptimizationLevel::Disable)?;
    let failed = |error: ort::Error| EngineError::Run {
        network: graph.file.clone(),
        reason: error.to_string(),
    };
    let contiguous: Vec<_> = inputs
        .iter()
        .map(|(_, input)| input.as_standard_layout())
        .collect();
    let mut values = Vec::with_capacity(inputs.len());
    for ((name, _), input) in inputs.iter().zip(&contiguous) {
        let value = TensorRef::from_array_view(input.view()).map_err(failed)?;
        values.push((*name, SessionInputValue::from(value)));
    }
    let outputs = session.run(values).map_err(failed)?;
    let copy = |(_, value): (_, ort::value::ValueRef<'_>)| {
        let array = value.try_extract_array::<f32>().map_err(failed)?;
        Ok(array.to_owned())
    };
    outputs.iter().map(copy).collect()
}
