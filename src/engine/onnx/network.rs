//! One ONNX graph with the float inputs and outputs that its role asks for.

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Dimension};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use crate::catalog::Graph;
use crate::engine::onnx::gpu_sessions::GpuSessions;
use crate::engine::{EngineError, Runtime};

/// A graph at work, with its names and sizes.
pub(crate) struct Network {
    file: String,
    sessions: Sessions,
    inputs: Vec<Terminal>,
    outputs: Vec<Terminal>,
}

/// What runs the graph.
enum Sessions {
    Processor(Box<Session>),
    Gpu(Box<GpuSessions>),
}

impl Sessions {
    fn open(runtime: &Runtime, graph: &Graph, level: GraphOptimizationLevel) -> Result<Self, EngineError> {
        Ok(match runtime.pinned_memory() {
            None => Self::Processor(Box::new(runtime.session(graph, level)?)),
            Some(pinned) => {
                let device = runtime.device();
                Self::Gpu(Box::new(GpuSessions::open(
                    runtime, device, graph, level, pinned,
                )?))
            }
        })
    }

    /// One of them, which tells what the graph takes and gives.
    fn any(&self) -> &Session {
        match self {
            Self::Processor(session) => session,
            Self::Gpu(sessions) => sessions.first(),
        }
    }
}

/// A tensor of a graph: its name, and the length of each axis where the graph fixes it.
#[derive(Clone, Debug)]
struct Terminal {
    name: String,
    axes: Vec<Option<usize>>,
}

impl Network {
    /// Opens a graph that must have one input and at least one output, f32 tensors both. Of several outputs the one
    /// called `output` counts, or else the first.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph, output: &str) -> Result<Self, EngineError> {
        let sessions = Sessions::open(runtime, graph, GraphOptimizationLevel::All)?;
        let session = sessions.any();
        let [input] = session.inputs() else {
            let found = names(session.inputs());
            return Err(wrong(graph, "the list of inputs", found, "one input"));
        };
        let outputs = session.outputs();
        let output = outputs
            .iter()
            .find(|outlet| outlet.name() == output)
            .or(outputs.first())
            .ok_or_else(|| {
                wrong(
                    graph,
                    "the list of outputs",
                    "empty".to_owned(),
                    "at least one output",
                )
            })?;
        let (inputs, outputs) = (
            vec![Terminal::of(graph, "input", input)?],
            vec![Terminal::of(graph, "output", output)?],
        );
        Self::ready(graph, sessions, inputs, outputs)
    }

    /// Opens a gradient graph that must have just these inputs, and these outputs among its own, f32 tensors all. An
    /// `optional` output comes after them where the graph has it.
    ///
    /// It has very many small nodes: to look for what can be made of each takes as long as opening it, and its runs gain nothing
    /// (measured on the phantom's).
    pub(crate) fn open_gradient(
        runtime: &Runtime,
        graph: &Graph,
        inputs: &[&str],
        outputs: &[&str],
        optional: &str,
    ) -> Result<Self, EngineError> {
        let sessions = Sessions::open(runtime, graph, GraphOptimizationLevel::Disable)?;
        let session = sessions.any();
        let find = |kind: &str, outlets: &[Outlet], wanted: &[&str]| {
            let find_one = |name: &&str| {
                let outlet = outlets.iter().find(|outlet| outlet.name() == *name);
                let outlet = outlet.ok_or_else(|| {
                    let list = format!("the list of {kind}s");
                    wrong(graph, &list, names(outlets), &format!("{wanted:?}"))
                })?;
                Terminal::of(graph, kind, outlet)
            };
            wanted
                .iter()
                .map(find_one)
                .collect::<Result<Vec<_>, EngineError>>()
        };
        if session.inputs().len() != inputs.len() {
            let found = names(session.inputs());
            return Err(wrong(graph, "the list of inputs", found, &format!("{inputs:?}")));
        }
        let mut outputs = outputs.to_vec();
        if session.outputs().iter().any(|outlet| outlet.name() == optional) {
            outputs.push(optional);
        }
        let (inputs, outputs) = (
            find("input", session.inputs(), inputs)?,
            find("output", session.outputs(), &outputs)?,
        );
        Self::ready(graph, sessions, inputs, outputs)
    }

    /// The network of an open graph. On a GPU the first run loads kernels and plans convolutions: here, not while somebody waits.
    fn ready(
        graph: &Graph,
        sessions: Sessions,
        inputs: Vec<Terminal>,
        outputs: Vec<Terminal>,
    ) -> Result<Self, EngineError> {
        let mut network = Self {
            file: graph.file.clone(),
            sessions,
            inputs,
            outputs,
        };
        let blank: Option<Vec<_>> = network.inputs.iter().map(Terminal::blank).collect();
        if let (Sessions::Gpu(_), Some(blank)) = (&network.sessions, blank) {
            let blank: Vec<_> = blank.iter().map(|zeros| zeros.view()).collect();
            network.run_all(&blank)?;
        }
        Ok(network)
    }

    /// Length of each input axis; `None` where the graph leaves it open.
    pub(crate) fn input_axes(&self) -> &[Option<usize>] {
        &self.inputs[0].axes
    }

    /// Refuses a second input that cannot take tensors of these lengths, `None` for one that must stay open.
    pub(crate) fn check_second_input(
        &self,
        lengths: &[Option<usize>],
        expected: &str,
    ) -> Result<(), EngineError> {
        let axes = &self.inputs[1].axes;
        let fit = |(axis, length): (&Option<usize>, &Option<usize>)| axis.is_none() || axis == length;
        if axes.len() == lengths.len() && axes.iter().zip(lengths).all(fit) {
            return Ok(());
        }
        Err(self.wrong("input", &self.inputs[1], expected))
    }

    /// Length of each output axis; `None` where the graph leaves it open.
    pub(crate) fn output_axes(&self) -> &[Option<usize>] {
        &self.outputs[0].axes
    }

    /// The array, if all its values are finite.
    pub(crate) fn finite<D: Dimension>(&self, array: Array<f32, D>) -> Result<Array<f32, D>, EngineError> {
        match array.iter().position(|value| !value.is_finite()) {
            None => Ok(array),
            Some(index) => Err(EngineError::NotFinite {
                network: self.file.clone(),
                index,
            }),
        }
    }

    /// An error about the input's shape.
    pub(crate) fn wrong_input(&self, expected: &str) -> EngineError {
        self.wrong("input", &self.inputs[0], expected)
    }

    /// An error about the output's shape.
    pub(crate) fn wrong_output(&self, expected: &str) -> EngineError {
        self.wrong("output", &self.outputs[0], expected)
    }

    /// An error about what a run has given for the first output.
    pub(crate) fn wrong_result(&self, found: &[usize], expected: &str) -> EngineError {
        self.unlike("output", &self.outputs[0], format!("{found:?}"), expected)
    }

    fn wrong(&self, kind: &str, tensor: &Terminal, expected: &str) -> EngineError {
        let axes: Vec<_> = tensor
            .axes
            .iter()
            .map(|axis| axis.map_or("?".to_owned(), |axis| axis.to_string()))
            .collect();
        self.unlike(kind, tensor, format!("[{}]", axes.join(", ")), expected)
    }

    fn unlike(&self, kind: &str, tensor: &Terminal, found: String, expected: &str) -> EngineError {
        EngineError::Tensor {
            file: self.file.clone(),
            tensor: format!("{kind} {:?}", tensor.name),
            found,
            expected: expected.to_owned(),
        }
    }

    /// Runs a graph of one input and one output on a batch.
    pub(crate) fn run<D: Dimension + 'static>(
        &mut self,
        input: ArrayView<'_, f32, D>,
    ) -> Result<ArrayD<f32>, EngineError> {
        let mut outputs = self.run_all(&[input.into_dyn()])?;
        Ok(outputs.swap_remove(0))
    }

    /// Runs the graph on all its inputs, for all the outputs that its role asks for.
    pub(crate) fn run_all(
        &mut self,
        inputs: &[ArrayViewD<'_, f32>],
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let given = self.inputs.iter().map(|tensor| tensor.name.as_str());
        let session = match &mut self.sessions {
            Sessions::Processor(session) => session,
            Sessions::Gpu(sessions) => {
                let inputs: Vec<_> = given.zip(inputs.iter().cloned()).collect();
                let outputs: Vec<_> = self.outputs.iter().map(|tensor| tensor.name.as_str()).collect();
                return sessions.run(&inputs, &outputs);
            }
        };
        let failed = |error: ort::Error| EngineError::Run {
            network: self.file.clone(),
            reason: error.to_string(),
        };
        let contiguous: Vec<_> = inputs.iter().map(|input| input.as_standard_layout()).collect();
        let mut values = Vec::with_capacity(contiguous.len());
        for (name, input) in given.zip(&contiguous) {
            let value = TensorRef::from_array_view(input.view()).map_err(failed)?;
            values.push((name, SessionInputValue::from(value)));
        }
        let found = session.run(values).map_err(failed)?;
        let take = |tensor: &Terminal| {
            let array = found[tensor.name.as_str()].try_extract_array::<f32>();
            array.map(|array| array.to_owned()).map_err(failed)
        };
        self.outputs.iter().map(take).collect()
    }
}

impl Terminal {
    fn of(graph: &Graph, kind: &str, outlet: &Outlet) -> Result<Self, EngineError> {
        match outlet.dtype() {
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                shape,
                ..
            } => Ok(Self {
                name: outlet.name().to_owned(),
                axes: shape.iter().map(|&axis| usize::try_from(axis).ok()).collect(),
            }),
            other => {
                let tensor = format!("{kind} {:?}", outlet.name());
                Err(wrong(graph, &tensor, format!("{other:?}"), "a float32 tensor"))
            }
        }
    }

    /// Zeros for one image, where the graph says how many.
    fn blank(&self) -> Option<ArrayD<f32>> {
        let (_, rest) = self.axes.split_first()?;
        let rest: Vec<_> = rest.iter().copied().collect::<Option<_>>()?;
        Some(ArrayD::zeros([&[1], rest.as_slice()].concat()))
    }
}

fn wrong(graph: &Graph, tensor: &str, found: String, expected: &str) -> EngineError {
    EngineError::Tensor {
        file: graph.file.clone(),
        tensor: tensor.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

fn names(outlets: &[Outlet]) -> String {
    let names: Vec<_> = outlets.iter().map(Outlet::name).collect();
    format!("{names:?}")
}
