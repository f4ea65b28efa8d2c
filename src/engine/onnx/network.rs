//! An ONNX graph with its sessions: opened, checked, and run on batches.

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Axis, Dimension, Slice};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, TensorRef};

use crate::catalog::Graph;
use crate::engine::networks::watched_runs::WatchedRuns;
use crate::engine::onnx::fixed_batch::{joined, run_in_fixed_batches};
use crate::engine::onnx::gpu_sessions::GpuSessions;
use crate::engine::onnx::run_options;
use crate::engine::onnx::tensor_spec::{TensorRole, TensorSpec, list_error};
use crate::engine::{EngineError, Runtime};

/// An open graph, with the inputs and outputs that its role in the model requires.
pub(crate) struct Network {
    file: String,
    sessions: Sessions,
    runs: WatchedRuns,
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

/// The sessions of a graph on its device.
enum Sessions {
    Cpu(Box<Session>),
    Gpu(Box<GpuSessions>),
}

impl Sessions {
    fn open(runtime: &Runtime, graph: &Graph, level: GraphOptimizationLevel) -> Result<Self, EngineError> {
        Ok(match runtime.pinned_memory() {
            None => Self::Cpu(Box::new(runtime.session(graph, level)?)),
            Some(pinned) => {
                let device = runtime.device();
                Self::Gpu(Box::new(GpuSessions::open(
                    runtime, device, graph, level, pinned,
                )?))
            }
        })
    }

    /// A session, to read the graph's inputs and outputs from.
    fn first(&self) -> &Session {
        match self {
            Self::Cpu(session) => session,
            Self::Gpu(sessions) => sessions.first(),
        }
    }
}

impl Network {
    /// Opens a graph with one input and at least one output, both f32 tensors. Of several outputs, the one called `output` is
    /// used, or else the first.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph, output: &str) -> Result<Self, EngineError> {
        Self::open_with(runtime, graph, None, output, &[None])
    }

    /// Opens a graph with one input and these outputs among others, all f32 tensors. `None` is the output called `default`, or
    /// else the first.
    pub(crate) fn open_outputs(
        runtime: &Runtime,
        graph: &Graph,
        default: &str,
        outputs: &[Option<&str>],
    ) -> Result<Self, EngineError> {
        Self::open_with(runtime, graph, None, default, outputs)
    }

    /// The same for a graph that may have a second input, called `second`.
    pub(crate) fn open_with(
        runtime: &Runtime,
        graph: &Graph,
        second: Option<&str>,
        default: &str,
        outputs: &[Option<&str>],
    ) -> Result<Self, EngineError> {
        let sessions = Sessions::open(runtime, graph, GraphOptimizationLevel::All)?;
        let session = sessions.first();
        let inlets = session.inputs();
        let is_second = |outlet: &&Outlet| second == Some(outlet.name());
        let (others, firsts): (Vec<_>, Vec<_>) = inlets.iter().partition(is_second);
        if firsts.len() != 1 {
            let expected = second.map_or(String::new(), |second| format!(", and {second:?} at most"));
            let expected = format!("one input{expected}");
            return Err(list_error(graph, TensorRole::Input, inlets, &expected));
        }
        let outlets = session.outputs();
        let find = |name: Option<&str>| {
            if let Some(name) = name {
                return TensorSpec::find(graph, TensorRole::Output, outlets, name, &[name]);
            }
            let by_name = outlets.iter().find(|outlet| outlet.name() == default);
            let output = by_name
                .or(outlets.first())
                .ok_or_else(|| list_error(graph, TensorRole::Output, outlets, "at least one output"))?;
            TensorSpec::read(graph, TensorRole::Output, output)
        };
        let read = |input| TensorSpec::read(graph, TensorRole::Input, input);
        let inputs = firsts.into_iter().chain(others).map(read);
        let inputs = inputs.collect::<Result<_, _>>()?;
        let outputs = outputs.iter().copied().map(find).collect::<Result<_, _>>()?;
        Self::new(runtime, graph, sessions, inputs, outputs)
    }

    /// Opens a gradient graph with exactly these inputs, and with these outputs among others, all f32 tensors. If it also has
    /// the output `optional`, that one comes after them.
    ///
    /// ONNX Runtime's graph optimizations are off: a gradient graph has thousands of small nodes, so that optimizing takes as
    /// long as opening, and runs are not faster afterwards (measured with the phantom's gradient graph on two cores).
    pub(crate) fn open_gradient(
        runtime: &Runtime,
        graph: &Graph,
        inputs: &[&str],
        outputs: &[&str],
        optional: Option<&str>,
    ) -> Result<Self, EngineError> {
        let sessions = Sessions::open(runtime, graph, GraphOptimizationLevel::Disable)?;
        let session = sessions.first();
        if session.inputs().len() != inputs.len() {
            return Err(list_error(
                graph,
                TensorRole::Input,
                session.inputs(),
                &format!("{inputs:?}"),
            ));
        }
        let mut outputs = outputs.to_vec();
        let is_there = |name: &&str| session.outputs().iter().any(|outlet| outlet.name() == *name);
        outputs.extend(optional.filter(is_there));
        let find = |kind, outlets, required: &[&str]| {
            required
                .iter()
                .map(|name| TensorSpec::find(graph, kind, outlets, name, required))
                .collect::<Result<Vec<_>, EngineError>>()
        };
        let (inputs, outputs) = (
            find(TensorRole::Input, session.inputs(), inputs)?,
            find(TensorRole::Output, session.outputs(), &outputs)?,
        );
        Self::new(runtime, graph, sessions, inputs, outputs)
    }

    /// A network of an open graph. On a GPU it runs once, because the first run loads kernels and plans convolutions, which
    /// no request should wait for.
    fn new(
        runtime: &Runtime,
        graph: &Graph,
        sessions: Sessions,
        inputs: Vec<TensorSpec>,
        outputs: Vec<TensorSpec>,
    ) -> Result<Self, EngineError> {
        let mut network = Self {
            file: graph.file.clone(),
            sessions,
            runs: WatchedRuns::new(runtime.watchdog().clone(), &graph.file),
            inputs,
            outputs,
        };
        let zeros: Option<Vec<_>> = network.inputs.iter().map(TensorSpec::zeros).collect();
        if let (Sessions::Gpu(_), Some(zeros)) = (&network.sessions, zeros) {
            let zeros: Vec<_> = zeros.iter().map(|zeros| zeros.view()).collect();
            network.run_all(&zeros)?;
        }
        Ok(network)
    }

    /// Length of each axis of the first input. `None` if the graph leaves it open.
    pub(crate) fn input_axes(&self) -> &[Option<usize>] {
        &self.inputs[0].axes
    }

    /// The number of images in each run, if the graph fixes it. The network fills up runs of other sizes.
    pub(crate) fn fixed_batch(&self) -> Option<usize> {
        self.input_axes()
            .first()
            .copied()
            .flatten()
            .filter(|&batch| batch > 0)
    }

    /// Length of each axis of the first output. `None` if the graph leaves it open.
    pub(crate) fn output_axes(&self) -> &[Option<usize>] {
        &self.outputs[0].axes
    }

    /// The number of values for each image in an output, by the output's index. `None` if an axis other than the first is open.
    pub(crate) fn output_values(&self, output: usize) -> Option<usize> {
        let (_, rest) = self.outputs[output].axes.split_first()?;
        rest.iter().copied().product()
    }

    /// Length of each axis of the second input, if there is one.
    pub(crate) fn second_input_axes(&self) -> Option<&[Option<usize>]> {
        self.inputs.get(1).map(|input| &input.axes[..])
    }

    /// The error for a second input of the wrong shape.
    pub(crate) fn second_input_error(&self, expected: &str) -> EngineError {
        self.inputs[1].shape_error(&self.file, expected)
    }

    /// An error if the second input does not take tensors of these lengths. `None` is an axis that the graph must leave open.
    pub(crate) fn check_second_input(
        &self,
        lengths: &[Option<usize>],
        expected: &str,
    ) -> Result<(), EngineError> {
        let input = &self.inputs[1];
        let fits = |(axis, length): (&Option<usize>, &Option<usize>)| axis.is_none() || axis == length;
        if input.axes.len() == lengths.len() && input.axes.iter().zip(lengths).all(fits) {
            return Ok(());
        }
        Err(self.second_input_error(expected))
    }

    /// The array, or an error if a value is NaN or infinite.
    pub(crate) fn check_finite<D: Dimension>(
        &self,
        array: Array<f32, D>,
    ) -> Result<Array<f32, D>, EngineError> {
        match array.iter().position(|value| !value.is_finite()) {
            None => Ok(array),
            Some(index) => Err(EngineError::NotFinite {
                network: self.file.clone(),
                index,
            }),
        }
    }

    /// The error for a first input of the wrong shape.
    pub(crate) fn input_error(&self, expected: &str) -> EngineError {
        self.inputs[0].shape_error(&self.file, expected)
    }

    /// The error for a first output of the wrong shape, as the graph declares it.
    pub(crate) fn output_error(&self, expected: &str) -> EngineError {
        self.output_error_at(0, expected)
    }

    /// The error for an output of the wrong shape, as the graph declares it, by the output's index.
    pub(crate) fn output_error_at(&self, output: usize, expected: &str) -> EngineError {
        self.outputs[output].shape_error(&self.file, expected)
    }

    /// The error for a first output of the wrong shape `found`, as a run returned it.
    pub(crate) fn result_error(&self, found: &[usize], expected: &str) -> EngineError {
        self.outputs[0].result_error(&self.file, found, expected)
    }

    /// Runs a network of one input and one output on a batch.
    pub(crate) fn run<D: Dimension>(
        &mut self,
        input: ArrayView<'_, f32, D>,
    ) -> Result<ArrayD<f32>, EngineError> {
        let mut outputs = self.run_all(&[input.into_dyn()])?;
        Ok(outputs.swap_remove(0))
    }

    /// Runs a network of one output on a batch, in runs of at most `largest_batch`. An error if a run's output is not `[batch]`
    /// followed by `shape`.
    pub(crate) fn run_in_batches(
        &mut self,
        inputs: &[ArrayViewD<'_, f32>],
        largest_batch: usize,
        shape: &[usize],
    ) -> Result<ArrayD<f32>, EngineError> {
        let count = inputs[0].len_of(Axis(0));
        let mut parts = Vec::new();
        for first in (0..count).step_by(largest_batch.clamp(1, count.max(1))) {
            let batch = largest_batch.min(count - first);
            let rows = Slice::from(first..first + batch);
            let part: Vec<_> = inputs
                .iter()
                .map(|input| input.slice_axis(Axis(0), rows))
                .collect();
            let output = self.run_all(&part)?.swap_remove(0);
            let expected = [&[batch], shape].concat();
            if *output.shape() != expected {
                return Err(self.result_error(output.shape(), &format!("{expected:?}")));
            }
            parts.push(vec![output]);
        }
        if parts.is_empty() {
            return Ok(ArrayD::zeros([&[0], shape].concat()));
        }
        Ok(joined(parts).swap_remove(0))
    }

    /// Runs the network on one tensor for each of its inputs, and returns one for each of its outputs. If the graph's batch
    /// is fixed, there are as many runs as the inputs need, and the last is filled up.
    pub(crate) fn run_all(
        &mut self,
        inputs: &[ArrayViewD<'_, f32>],
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let rows = inputs[0].len_of(Axis(0));
        match (&self.sessions, self.fixed_batch()) {
            // The sessions on a GPU pad batches themselves.
            (Sessions::Cpu(_), Some(batch)) if rows != batch && rows > 0 => {
                run_in_fixed_batches(inputs, batch, |inputs| self.run_batch(inputs))
            }
            _ => self.run_batch(inputs),
        }
    }

    fn run_batch(&mut self, inputs: &[ArrayViewD<'_, f32>]) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let names = self.inputs.iter().map(|tensor| tensor.name.as_str());
        let session = match &mut self.sessions {
            Sessions::Cpu(session) => session,
            Sessions::Gpu(sessions) => {
                let inputs: Vec<_> = names.zip(inputs.iter().cloned()).collect();
                let outputs: Vec<_> = self.outputs.iter().map(|tensor| tensor.name.as_str()).collect();
                return sessions.run(&inputs, &outputs, &mut self.runs);
            }
        };
        let failed = |error: ort::Error| EngineError::Run {
            network: self.file.clone(),
            reason: error.to_string(),
        };
        let contiguous: Vec<_> = inputs.iter().map(|input| input.as_standard_layout()).collect();
        let mut values = Vec::with_capacity(contiguous.len());
        for (name, input) in names.zip(&contiguous) {
            let value = TensorRef::from_array_view(input.view()).map_err(failed)?;
            values.push((name, SessionInputValue::from(value)));
        }
        let (options, terminate) = run_options::terminable().map_err(failed)?;
        let batch = inputs[0].len_of(Axis(0));
        let outputs = self.runs.run(batch, terminate, || {
            session.run_with_options(values, &options).map_err(failed)
        })?;
        let copy = |tensor: &TensorSpec| {
            let array = outputs[tensor.name.as_str()].try_extract_array::<f32>();
            array.map(|array| array.to_owned()).map_err(failed)
        };
        self.outputs.iter().map(copy).collect()
    }
}

#[cfg(test)]
mod tests;
