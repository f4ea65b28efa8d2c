//! One ONNX graph with the float inputs and outputs that its role asks for.

use ndarray::{Array, ArrayD, ArrayView, ArrayViewD, Dimension};
use ort::memory::MemoryInfo;
use ort::session::{Session, SessionInputValue};
use ort::value::{Outlet, Tensor, TensorElementType, TensorRef, ValueType};

use super::{EngineError, Runtime};
use crate::catalog::Graph;

/// A session with its names and sizes.
pub(super) struct Network {
    file: String,
    session: Session,
    inputs: Vec<Terminal>,
    outputs: Vec<Terminal>,
    /// Where a device leaves its outputs for the processor to read; `None` where they are made in the processor's memory.
    pinned: Option<MemoryInfo<'static>>,
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
    pub(super) fn open(runtime: &Runtime, graph: &Graph, output: &str) -> Result<Self, EngineError> {
        let session = runtime.session(graph)?;
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
        Ok(Self {
            file: graph.file.clone(),
            session,
            inputs,
            outputs,
            pinned: runtime.pinned_memory(),
        })
    }

    /// Opens a gradient graph that must have just these inputs, and these outputs among its own, f32 tensors all. An
    /// `optional` output comes after them where the graph has it.
    pub(super) fn open_gradient(
        runtime: &Runtime,
        graph: &Graph,
        inputs: &[&str],
        outputs: &[&str],
        optional: &str,
    ) -> Result<Self, EngineError> {
        let session = runtime.gradient_session(graph)?;
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
        Ok(Self {
            file: graph.file.clone(),
            session,
            inputs,
            outputs,
            pinned: runtime.pinned_memory(),
        })
    }

    /// Length of each input axis; `None` where the graph leaves it open.
    pub(super) fn input_axes(&self) -> &[Option<usize>] {
        &self.inputs[0].axes
    }

    /// Refuses a second input that cannot take tensors of these lengths, `None` for one that must stay open.
    pub(super) fn check_second_input(
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
    pub(super) fn output_axes(&self) -> &[Option<usize>] {
        &self.outputs[0].axes
    }

    /// The array, if all its values are finite.
    pub(super) fn finite<D: Dimension>(&self, array: Array<f32, D>) -> Result<Array<f32, D>, EngineError> {
        match array.iter().position(|value| !value.is_finite()) {
            None => Ok(array),
            Some(index) => Err(EngineError::NotFinite {
                network: self.file.clone(),
                index,
            }),
        }
    }

    /// An error about the input's shape.
    pub(super) fn wrong_input(&self, expected: &str) -> EngineError {
        self.wrong("input", &self.inputs[0], expected)
    }

    /// An error about the output's shape.
    pub(super) fn wrong_output(&self, expected: &str) -> EngineError {
        self.wrong("output", &self.outputs[0], expected)
    }

    /// An error about what a run has given for the first output.
    pub(super) fn wrong_result(&self, found: &[usize], expected: &str) -> EngineError {
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
    pub(super) fn run<D: Dimension + 'static>(
        &mut self,
        input: ArrayView<'_, f32, D>,
    ) -> Result<ArrayD<f32>, EngineError> {
        let mut outputs = self.run_all(&[input.into_dyn()])?;
        Ok(outputs.swap_remove(0))
    }

    /// Runs the graph on all its inputs, for all the outputs that its role asks for.
    pub(super) fn run_all(
        &mut self,
        inputs: &[ArrayViewD<'_, f32>],
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let failed = |error: ort::Error| EngineError::Run {
            network: self.file.clone(),
            reason: error.to_string(),
        };
        let contiguous: Vec<_> = inputs.iter().map(|input| input.as_standard_layout()).collect();
        let given = self.inputs.iter().map(|tensor| tensor.name.as_str());
        let mut binding;
        let found = if let Some(memory) = &self.pinned {
            binding = self.session.create_binding().map_err(failed)?;
            for (name, input) in given.zip(contiguous) {
                // A borrowed tensor would be copied by a session of its own.
                let value = Tensor::from_array(input.into_owned()).map_err(failed)?;
                binding.bind_input(name, &value).map_err(failed)?;
            }
            for tensor in &self.outputs {
                binding
                    .bind_output_to_device(tensor.name.as_str(), memory)
                    .map_err(failed)?;
            }
            self.session.run_binding(&binding)
        } else {
            let mut values = Vec::with_capacity(contiguous.len());
            for (name, input) in given.zip(&contiguous) {
                let value = TensorRef::from_array_view(input.view()).map_err(failed)?;
                values.push((name, SessionInputValue::from(value)));
            }
            self.session.run(values)
        };
        let found = found.map_err(failed)?;
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

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array4};
    use ort::memory::{AllocationDevice, AllocatorType, MemoryType};

    use super::*;
    use crate::catalog::{ModelFolder, ModelPackage};
    use crate::engine::Device;

    #[test]
    fn bound_outputs_hold_what_others_do() {
        let library = std::env::var_os("FACEPLANE_ONNXRUNTIME").map(std::path::PathBuf::from);
        let runtime = Runtime::load(library.as_deref(), Device::Cpu, Some(1)).unwrap();
        let package = ModelPackage::read(&ModelFolder::Bundled).unwrap();
        let graph = package.mapping.as_ref().unwrap();
        let mut network = Network::open(&runtime, graph, "w").unwrap();
        let codes = [1.0, -0.5].map(|value| Array2::from_elem((3, 64), value));
        let plain = codes.clone().map(|codes| network.run(codes.view()).unwrap());
        let memory = MemoryInfo::new(
            AllocationDevice::CPU,
            0,
            AllocatorType::Device,
            MemoryType::CPUOutput,
        );
        network.pinned = Some(memory.unwrap());
        let bound = codes.map(|codes| network.run(codes.view()).unwrap());
        assert_eq!(plain, bound);
        let wrong = Array4::zeros((1, 1, 1, 1));
        assert!(network.run(wrong.view()).is_err(), "codes have two axes");
    }
}
