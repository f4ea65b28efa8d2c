//! The sessions of a graph on a GPU: few batch sizes, and a session for each.
//!
//! ONNX Runtime makes cuDNN plan every convolution again whenever the batch size differs from that of the run before. On an
//! H100, this took 40 ms, for a generator with runs of 2 ms. Therefore a run is padded to a power of two, and if a graph has
//! convolutions, each of these sizes has a session of its own, opened when it is first needed. A graph with a fixed batch has one session, and runs
//! are padded to that batch.
//!
//! Inputs and outputs are bound, and outputs are in pinned memory, so that they are copied to the CPU without
//! another synchronization. CUDA graphs were not tried; they would save the time to launch thousands of small nodes. The
//! tests run this code in the CPU's memory. `benches/README.md` has the figures of an H100.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{ArrayD, ArrayViewD, Axis, Slice};
use ort::memory::MemoryInfo;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;

use crate::catalog::Graph;
use crate::engine::networks::watched_runs::WatchedRuns;
use crate::engine::onnx::fixed_batch::{joined, padded};
use crate::engine::onnx::run_options;
use crate::engine::{Device, EngineError, Runtime};

/// The sessions of one graph on a GPU. Takes any number of images, and runs batches of few sizes.
pub(crate) struct GpuSessions {
    runtime: Runtime,
    device: Device,
    graph: Graph,
    level: GraphOptimizationLevel,
    has_convolutions: bool,
    /// The number of images in each run, if the graph fixes it.
    fixed_batch: Option<usize>,
    /// By batch size. The session for one image opens at the start.
    sessions: BTreeMap<usize, Session>,
    /// The memory for outputs, which the CPU can read.
    pinned: MemoryInfo<'static>,
}

impl GpuSessions {
    /// Opens the session for one image.
    pub(crate) fn open(
        runtime: &Runtime,
        device: Device,
        graph: &Graph,
        level: GraphOptimizationLevel,
        pinned: MemoryInfo<'static>,
    ) -> Result<Self, EngineError> {
        let session = runtime.session(graph, level)?;
        let batch = session
            .inputs()
            .first()
            .and_then(|input| input.dtype().tensor_shape());
        let batch = batch.and_then(|shape| shape.first().copied());
        Ok(Self {
            runtime: runtime.clone(),
            device,
            graph: graph.clone(),
            level,
            has_convolutions: graph.bytes.windows(4).any(|bytes| bytes == b"Conv"),
            fixed_batch: batch
                .and_then(|batch| usize::try_from(batch).ok())
                .filter(|&batch| batch > 0),
            sessions: BTreeMap::from([(1, session)]),
            pinned,
        })
    }

    /// The session for one image.
    pub(crate) fn first(&self) -> &Session {
        &self.sessions[&1]
    }

    /// Runs the graph on its inputs, and returns the outputs with these names. The first axis of all of them is the batch.
    /// Each batch is one of the watched `runs`.
    pub(crate) fn run(
        &mut self,
        inputs: &[(&str, ArrayViewD<'_, f32>)],
        outputs: &[&str],
        runs: &mut WatchedRuns,
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let images = inputs[0].1.len_of(Axis(0));
        let batch = self.fixed_batch.unwrap_or(self.device.largest_batch());
        let mut parts = Vec::new();
        for first in (0..images).step_by(batch) {
            let end = images.min(first + batch);
            parts.push(self.run_batch(first..end, inputs, outputs, runs)?);
        }
        Ok(joined(parts))
    }

    /// Runs one batch: these images of the inputs.
    fn run_batch(
        &mut self,
        images: Range<usize>,
        inputs: &[(&str, ArrayViewD<'_, f32>)],
        outputs: &[&str],
        runs: &mut WatchedRuns,
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let size = self.fixed_batch.unwrap_or(self.device.padded_batch(images.len()));
        let file = self.graph.file.clone();
        let failed = |error: ort::Error| EngineError::Run {
            network: file.clone(),
            reason: error.to_string(),
        };
        let pinned = self.pinned.clone();
        let session = self.session(size)?;
        let mut binding = session.create_binding().map_err(failed)?;
        for (name, input) in inputs {
            let part = input.slice_axis(Axis(0), Slice::from(images.clone()));
            let value = Tensor::from_array(padded(part, size)).map_err(failed)?;
            binding.bind_input(*name, &value).map_err(failed)?;
        }
        for name in outputs {
            binding.bind_output_to_device(*name, &pinned).map_err(failed)?;
        }
        let (options, terminate) = run_options::terminable().map_err(failed)?;
        let results = runs.run(size, terminate, || {
            session
                .run_binding_with_options(&binding, &options)
                .map_err(failed)
        })?;
        outputs
            .iter()
            .map(|name| {
                let array = results[*name].try_extract_array::<f32>().map_err(failed)?;
                let without_padding = array.len_of(Axis(0)).min(images.len());
                Ok(array
                    .slice_axis(Axis(0), Slice::from(..without_padding))
                    .to_owned())
            })
            .collect()
    }

    /// The session for a batch size. Opens it if necessary.
    fn session(&mut self, size: usize) -> Result<&mut Session, EngineError> {
        let needs_own = self.has_convolutions && self.fixed_batch.is_none();
        let size = if needs_own { size } else { 1 };
        if !self.sessions.contains_key(&size) {
            let session = self.runtime.session(&self.graph, self.level)?;
            self.sessions.insert(size, session);
        }
        Ok(self
            .sessions
            .get_mut(&size)
            .expect("the session was opened above if it was missing"))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array4};
    use ort::memory::{AllocationDevice, AllocatorType, MemoryType};

    use super::*;
    use crate::catalog::{ModelFiles, ModelFolder};
    use crate::engine::{Watchdog, test_support};

    /// The sessions of a graph of the bundled model as on a GPU, but on the CPU and in its memory.
    fn on_cpu(choose: fn(&ModelFiles) -> &Graph) -> GpuSessions {
        // The library must be loaded before the first call into it.
        let runtime = test_support::runtime();
        let memory = MemoryInfo::new(
            AllocationDevice::CPU,
            0,
            AllocatorType::Device,
            MemoryType::CPUOutput,
        );
        let files = ModelFiles::read(&ModelFolder::Bundled).unwrap();
        let (graph, level) = (choose(&files), GraphOptimizationLevel::All);
        GpuSessions::open(runtime, Device::Cuda(0), graph, level, memory.unwrap()).unwrap()
    }

    #[test]
    fn outputs_do_not_depend_on_the_batch_size() {
        let mut sessions = on_cpu(|files| files.mapping.as_ref().unwrap());
        let values = (0..70 * 64).map(|index: u16| f32::from(index).sin()).collect();
        let codes = Array2::from_shape_vec((70, 64), values).unwrap();
        let mut runs = WatchedRuns::new(Watchdog::default(), "mapping");
        let mut run = |count: usize| {
            let codes = codes.slice_axis(Axis(0), Slice::from(..count)).into_dyn();
            sessions
                .run(&[("z", codes)], &["w"], &mut runs)
                .unwrap()
                .swap_remove(0)
        };
        let all = run(70);
        assert_eq!(all.shape(), [70, 64]);
        for count in [1, 3, 32, 33] {
            let expected = all.slice_axis(Axis(0), Slice::from(..count));
            let error = (run(count) - expected).fold(0.0_f32, |most, error| most.max(error.abs()));
            assert!(error < 1e-5, "the largest error of {count} codes is {error}");
        }
        let wrong = Array4::zeros((1, 1, 1, 1)).into_dyn();
        let wrong = sessions.run(&[("z", wrong.view())], &["w"], &mut runs);
        assert!(wrong.is_err(), "codes have two axes");
        assert_eq!(sessions.sessions.len(), 1, "the mapping has no convolutions");
    }

    #[test]
    fn each_batch_size_has_a_session_if_the_graph_has_convolutions() {
        let mut sessions = on_cpu(|files| &files.classifiers[0].graph);
        let mut runs = WatchedRuns::new(Watchdog::default(), "classifier");
        let images = Array4::zeros((5, 3, 256, 256)).into_dyn();
        for count in [5, 1, 3, 2] {
            let some = images.slice_axis(Axis(0), Slice::from(..count));
            let scores = sessions.run(&[("image", some)], &["scores"], &mut runs).unwrap();
            assert_eq!(scores[0].shape(), [count, 5]);
        }
        let sizes: Vec<_> = sessions.sessions.keys().copied().collect();
        assert_eq!(sizes, [1, 2, 4, 8]);
    }
}
