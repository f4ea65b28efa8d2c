//! One ONNX graph with one float input and one float output.

use ndarray::{ArrayD, ArrayView, Dimension};
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::{EngineError, Runtime};
use crate::catalog::Graph;

/// A session with its names and sizes.
pub(super) struct Network {
    file: String,
    session: Session,
    input: Tensor,
    output: Tensor,
}

/// A tensor of a graph: its name, and the length of each axis where the graph fixes it.
#[derive(Clone, Debug)]
struct Tensor {
    name: String,
    axes: Vec<Option<usize>>,
}

impl Network {
    /// Opens a graph that must have one input and at least one output, f32 tensors both. Of several outputs the one
    /// called `output` counts, or else the first.
    pub(super) fn open(runtime: &Runtime, graph: &Graph, output: &str) -> Result<Self, EngineError> {
        let session = runtime.session(graph)?;
        let wrong = |tensor: &str, found: String, expected: &str| EngineError::Tensor {
            file: graph.file.clone(),
            tensor: tensor.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        let [input] = session.inputs() else {
            let names: Vec<_> = session.inputs().iter().map(Outlet::name).collect();
            return Err(wrong("the list of inputs", format!("{names:?}"), "one input"));
        };
        let outputs = session.outputs();
        let output = outputs
            .iter()
            .find(|outlet| outlet.name() == output)
            .or(outputs.first())
            .ok_or_else(|| wrong("the list of outputs", "empty".to_owned(), "at least one output"))?;
        let tensor = |kind: &str, outlet: &Outlet| match outlet.dtype() {
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                shape,
                ..
            } => {
                let axes = shape.iter().map(|&axis| usize::try_from(axis).ok()).collect();
                Ok(Tensor {
                    name: outlet.name().to_owned(),
                    axes,
                })
            }
            other => Err(wrong(
                &format!("{kind} {:?}", outlet.name()),
                format!("{other:?}"),
                "a float32 tensor",
            )),
        };
        let (input, output) = (tensor("input", input)?, tensor("output", output)?);
        Ok(Self {
            file: graph.file.clone(),
            session,
            input,
            output,
        })
    }

    /// The graph's file.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Length of each input axis; `None` where the graph leaves it open.
    pub(super) fn input_axes(&self) -> &[Option<usize>] {
        &self.input.axes
    }

    /// Length of each output axis; `None` where the graph leaves it open.
    pub(super) fn output_axes(&self) -> &[Option<usize>] {
        &self.output.axes
    }

    /// An error about the input's shape.
    pub(super) fn wrong_input(&self, expected: &str) -> EngineError {
        self.wrong("input", &self.input, expected)
    }

    /// An error about the output's shape.
    pub(super) fn wrong_output(&self, expected: &str) -> EngineError {
        self.wrong("output", &self.output, expected)
    }

    fn wrong(&self, kind: &str, tensor: &Tensor, expected: &str) -> EngineError {
        let axes: Vec<_> = tensor
            .axes
            .iter()
            .map(|axis| axis.map_or("?".to_owned(), |axis| axis.to_string()))
            .collect();
        EngineError::Tensor {
            file: self.file.clone(),
            tensor: format!("{kind} {:?}", tensor.name),
            found: format!("[{}]", axes.join(", ")),
            expected: expected.to_owned(),
        }
    }

    /// Runs the graph on a batch.
    pub(super) fn run<D: Dimension + 'static>(
        &mut self,
        input: ArrayView<'_, f32, D>,
    ) -> Result<ArrayD<f32>, EngineError> {
        let contiguous = input.as_standard_layout();
        let outputs = TensorRef::from_array_view(contiguous.view())
            .and_then(|input| self.session.run(ort::inputs![self.input.name.as_str() => input]));
        let array = outputs.and_then(|outputs| {
            Ok(outputs[self.output.name.as_str()]
                .try_extract_array::<f32>()?
                .to_owned())
        });
        array.map_err(|error| EngineError::Run {
            network: self.file.clone(),
            reason: error.to_string(),
        })
    }
}
