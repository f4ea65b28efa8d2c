//! A graph's sessions on a GPU.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{ArrayD, ArrayViewD, Axis, Slice, concatenate};
use ort::memory::MemoryInfo;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::Tensor;

use crate::catalog::Graph;
use crate::engine::{Device, EngineError, Runtime};

/// The sessions of one graph on a GPU, where runs of any number of images become runs of few sizes.
///
/// ONNX Runtime has cuDNN plan every convolution anew when a run holds another number of images than the one before, which takes
/// longer than many runs. So a run is filled up to a power of two, and where a graph has convolutions, each of these sizes has a
/// session of its own, opened when it is first needed.
pub(crate) struct GpuSessions {
    runtime: Runtime,
    device: Device,
    graph: Graph,
    level: GraphOptimizationLevel,
    has_convolutions: bool,
    /// By the number of images; that for one is there from the start.
    sessions: BTreeMap<usize, Session>,
    /// Where outputs are left for the processor to read.
    pinned: MemoryInfo<'static>,
}

impl GpuSessions {
    /// Opens the first session.
    pub(crate) fn open(
        runtime: &Runtime,
        device: Device,
        graph: &Graph,
        level: GraphOptimizationLevel,
        pinned: MemoryInfo<'static>,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            runtime: runtime.clone(),
            device,
            graph: graph.clone(),
            level,
            has_convolutions: graph.bytes.windows(4).any(|bytes| bytes == b"Conv"),
            sessions: BTreeMap::from([(1, runtime.session(graph, level)?)]),
            pinned,
        })
    }

    /// The first session.
    pub(crate) fn first(&self) -> &Session {
        &self.sessions[&1]
    }

    /// Runs the graph on its inputs, by name, whose first axis counts the images, for some of its outputs, whose first axis does
    /// too.
    pub(crate) fn run(
        &mut self,
        inputs: &[(&str, ArrayViewD<'_, f32>)],
        outputs: &[&str],
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let images = inputs[0].1.len_of(Axis(0));
        let mut found: Vec<Vec<ArrayD<f32>>> = Vec::new();
        for first in (0..images).step_by(self.device.largest_batch()) {
            let end = images.min(first + self.device.largest_batch());
            found.push(self.run_once(first..end, inputs, outputs)?);
        }
        if found.len() == 1 {
            return Ok(found.swap_remove(0));
        }
        let whole = |place: usize| {
            let parts: Vec<_> = found.iter().map(|part| part[place].view()).collect();
            concatenate(Axis(0), &parts).expect("an output differs in its first axis only")
        };
        Ok((0..outputs.len()).map(whole).collect())
    }

    /// One run, of these images.
    fn run_once(
        &mut self,
        images: Range<usize>,
        inputs: &[(&str, ArrayViewD<'_, f32>)],
        outputs: &[&str],
    ) -> Result<Vec<ArrayD<f32>>, EngineError> {
        let size = self.device.padded(images.len());
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
            let value = Tensor::from_array(filled(part, size)).map_err(failed)?;
            binding.bind_input(*name, &value).map_err(failed)?;
        }
        for name in outputs {
            binding.bind_output_to_device(*name, &pinned).map_err(failed)?;
        }
        let found = session.run_binding(&binding).map_err(failed)?;
        outputs
            .iter()
            .map(|name| {
                let array = found[*name].try_extract_array::<f32>().map_err(failed)?;
                let wanted = array.len_of(Axis(0)).min(images.len());
                Ok(array.slice_axis(Axis(0), Slice::from(..wanted)).to_owned())
            })
            .collect()
    }

    /// The session for runs of so many images.
    fn session(&mut self, images: usize) -> Result<&mut Session, EngineError> {
        let images = if self.has_convolutions { images } else { 1 };
        if !self.sessions.contains_key(&images) {
            let session = self.runtime.session(&self.graph, self.level)?;
            self.sessions.insert(images, session);
        }
        Ok(self
            .sessions
            .get_mut(&images)
            .expect("it was there, or was opened"))
    }
}

/// The same images with the last one repeated until there are `size`.
fn filled(images: ArrayViewD<'_, f32>, size: usize) -> ArrayD<f32> {
    let count = images.len_of(Axis(0));
    let last = images.slice_axis(Axis(0), Slice::from(count - 1..));
    let mut all = vec![images.view()];
    all.resize(1 + size - count, last);
    concatenate(Axis(0), &all).expect("images of one array have one shape")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::LazyLock;

    use ndarray::{Array2, Array4};
    use ort::memory::{AllocationDevice, AllocatorType, MemoryType};

    use super::*;
    use crate::catalog::{ModelFolder, ModelPackage};

    /// As on a GPU, in the processor's memory.
    fn on_processor(choose: fn(&ModelPackage) -> &Graph) -> GpuSessions {
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
            let library = std::env::var_os("FACEPLANE_ONNXRUNTIME").map(PathBuf::from);
            Runtime::load(library.as_deref(), Device::Cpu, Some(1)).unwrap()
        });
        // The library has to be there before anything else is asked of it.
        let runtime = &*RUNTIME;
        let memory = MemoryInfo::new(
            AllocationDevice::CPU,
            0,
            AllocatorType::Device,
            MemoryType::CPUOutput,
        );
        let package = ModelPackage::read(&ModelFolder::Bundled).unwrap();
        let (graph, level) = (choose(&package), GraphOptimizationLevel::All);
        GpuSessions::open(runtime, Device::Cuda(0), graph, level, memory.unwrap()).unwrap()
    }

    #[test]
    fn images_come_out_as_they_went_in_however_many() {
        let mut sessions = on_processor(|package| package.mapping.as_ref().unwrap());
        let values = (0..70 * 64).map(|place: u16| f32::from(place).sin()).collect();
        let codes = Array2::from_shape_vec((70, 64), values).unwrap();
        let mut run = |count: usize| {
            let given = codes.slice_axis(Axis(0), Slice::from(..count)).into_dyn();
            sessions.run(&[("z", given)], &["w"]).unwrap().swap_remove(0)
        };
        let all = run(70);
        assert_eq!(all.shape(), [70, 64]);
        for count in [1, 3, 32, 33] {
            let expected = all.slice_axis(Axis(0), Slice::from(..count));
            let apart = (run(count) - expected).fold(0.0_f32, |most, apart| most.max(apart.abs()));
            assert!(apart < 1e-5, "{count} images are off by {apart}");
        }
        let wrong = Array4::zeros((1, 1, 1, 1)).into_dyn();
        let wrong = sessions.run(&[("z", wrong.view())], &["w"]);
        assert!(wrong.is_err(), "codes have two axes");
        assert_eq!(sessions.sessions.len(), 1, "it has no convolutions");
    }

    #[test]
    fn each_size_has_a_session_where_a_graph_has_convolutions() {
        let mut sessions = on_processor(|package| &package.classifiers[0].graph);
        let images = Array4::zeros((5, 3, 256, 256)).into_dyn();
        for count in [5, 1, 3, 2] {
            let some = images.slice_axis(Axis(0), Slice::from(..count));
            let scores = sessions.run(&[("image", some)], &["scores"]).unwrap();
            assert_eq!(scores[0].shape(), [count, 5]);
        }
        let sizes: Vec<_> = sessions.sessions.keys().copied().collect();
        assert_eq!(sizes, [1, 2, 4, 8]);
    }
}
