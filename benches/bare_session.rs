//! ONNX Runtime sessions without the service, but with its settings: the reference that benches compare the service with.

use std::path::Path;

use anyhow::Context as _;
use faceplane::catalog::Graph;
use faceplane::engine::Device;
use ndarray::{ArrayD, ArrayViewD};
use ort::environment::Environment;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{IoBinding, Session};
use ort::value::{DynValue, Tensor, TensorRef};

/// ONNX Runtime's library, and the device on which its sessions run.
pub(crate) struct BareRuntime {
    environment: Environment,
    pub(crate) device: Device,
}

impl BareRuntime {
    /// Loads the library.
    pub(crate) fn load(onnxruntime: &Path, device: Device) -> anyhow::Result<Self> {
        let environment = ort::init_from(std::path::absolute(onnxruntime)?)?;
        Ok(Self {
            environment: environment.with_telemetry(false).build()?,
            device,
        })
    }

    /// Opens a session with the service's settings. The graph must have one input.
    pub(crate) fn network(&self, graph: &Graph, threads: usize) -> anyhow::Result<Network> {
        let session = Session::builder(&self.environment)
            .and_then(|builder| match self.device {
                Device::Cpu => Ok(builder),
                Device::Cuda(number) => cuda(builder, number),
            })
            .and_then(|builder| Ok(builder.with_optimization_level(GraphOptimizationLevel::All)?))
            .and_then(|builder| Ok(builder.with_intra_threads(threads)?))
            .and_then(|builder| Ok(builder.with_inter_threads(1)?))
            .and_then(|builder| Ok(builder.with_intra_op_spinning(false)?))
            .and_then(|builder| Ok(builder.with_memory_pattern(false)?))
            .and_then(|mut builder| builder.commit_from_memory(&graph.bytes))
            .with_context(|| format!("{} on {}", graph.file, self.device))?;
        let pinned = match self.device {
            Device::Cpu => None,
            Device::Cuda(number) => Some(MemoryInfo::new(
                AllocationDevice::CUDA_PINNED,
                number.into(),
                AllocatorType::Device,
                MemoryType::CPUOutput,
            )?),
        };
        Ok(Network { session, pinned })
    }
}

/// Registers CUDA with the service's settings.
#[cfg(feature = "cuda")]
fn cuda(builder: SessionBuilder, number: u16) -> ort::Result<SessionBuilder> {
    use ort::ep::{ArenaExtendStrategy, CUDA, cuda::ConvAlgorithmSearch};
    let provider = CUDA::default()
        .with_device_id(i32::from(number))
        .with_tf32(false)
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        .build()
        .error_on_failure();
    Ok(builder.with_execution_providers([provider])?)
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: SessionBuilder, _: u16) -> ort::Result<SessionBuilder> {
    Err(ort::Error::new("this bench was built without the feature `cuda`"))
}

/// A session of a graph with one input.
pub(crate) struct Network {
    pub(crate) session: Session,
    /// The pinned memory to which a GPU writes its outputs, as in the service; `None` on the CPU.
    pinned: Option<MemoryInfo<'static>>,
}

impl Network {
    /// Runs the network and copies its first output, as the service does.
    pub(crate) fn run(&mut self, input: ArrayViewD<'_, f32>) -> anyhow::Result<ArrayD<f32>> {
        Ok(self.value(input)?.try_extract_array::<f32>()?.to_owned())
    }

    /// Runs the network and returns its first output without a copy. The next run writes to other memory.
    pub(crate) fn value(&mut self, input: ArrayViewD<'_, f32>) -> anyhow::Result<DynValue> {
        let binding;
        let outputs = if let Some(memory) = &self.pinned {
            binding = self.bind(input, memory)?;
            self.session.run_binding(&binding)?
        } else {
            self.session
                .run(ort::inputs![TensorRef::from_array_view(input)?])?
        };
        let first = outputs.into_iter().next().map(|(_, value)| value);
        first.context("a graph has an output")
    }

    /// Binds an input on the GPU, and the memory of the output.
    fn bind(&self, input: ArrayViewD<'_, f32>, memory: &MemoryInfo<'_>) -> anyhow::Result<IoBinding> {
        let mut binding = self.session.create_binding()?;
        let input = Tensor::from_array(input.to_owned())?;
        binding.bind_input(self.session.inputs()[0].name(), &input)?;
        binding.bind_output_to_device(self.session.outputs()[0].name(), memory)?;
        Ok(binding)
    }
}
