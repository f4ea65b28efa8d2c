//! The ONNX Runtime library: found, loaded, and asked for sessions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use ort::environment::Environment;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::catalog::Graph;
use crate::engine::{Device, EngineError};

/// The library's name.
const LIBRARY: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// A loaded ONNX Runtime, and how its sessions are made.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    device: Device,
    threads: usize,
    path: PathBuf,
    /// Shared by those who open graphs, and held alone by one who measures runs.
    cores: Arc<RwLock<()>>,
}

impl Runtime {
    /// Loads the library from `path`, or else from the first of: beside the program, `.onnxruntime/` in the working
    /// directory, the system's loader. Sessions run on `device`, each with `threads` threads; if left out, with one for a GPU and
    /// with as many as the process has cores for the processor (by its affinity and its control group, to which ONNX Runtime's own
    /// count is blind).
    ///
    /// # Errors
    /// [`EngineError::Library`] where there is none, or it is no ONNX Runtime, or too old; [`EngineError::Device`] where
    /// it cannot use the device.
    pub fn load(path: Option<&Path>, device: Device, threads: Option<usize>) -> Result<Self, EngineError> {
        let path = path.map_or_else(find, Path::to_path_buf);
        let failed = |reason: String| EngineError::Library {
            path: path.clone(),
            reason,
        };
        if path.components().count() > 1 && !path.is_file() {
            return Err(failed("there is no such file".to_owned()));
        }
        // `ort` would take a relative path as one beside the program.
        let absolute = if path.components().count() > 1 {
            std::path::absolute(&path).map_err(|error| failed(error.to_string()))?
        } else {
            path.clone()
        };
        let builder = ort::init_from(absolute).map_err(|error| failed(error.to_string()))?;
        let environment = builder
            .with_name("faceplane")
            .with_telemetry(false)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Self {
            environment,
            device,
            threads: threads.unwrap_or_else(|| match device {
                Device::Cpu => cores(),
                // A GPU leaves the processor arithmetic on shapes, and has many sessions.
                Device::Cuda(_) => 1,
            }),
            path,
            cores: Arc::default(),
        };
        runtime.on_device().map_err(|error| EngineError::Device {
            device,
            library: runtime.path.clone(),
            reason: error.to_string(),
        })?;
        Ok(runtime)
    }

    /// Where sessions run.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Threads of each session.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// The same with another number of threads.
    pub(crate) fn with_threads(&self, threads: usize) -> Self {
        Self {
            threads,
            ..self.clone()
        }
    }

    /// Leave to open graphs, beside others who do.
    pub(crate) fn busy(&self) -> RwLockReadGuard<'_, ()> {
        self.cores.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cores for one alone, to measure runs: nobody opens graphs meanwhile.
    pub(crate) fn quiet(&self) -> RwLockWriteGuard<'_, ()> {
        self.cores.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The library that was loaded.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a session of a graph.
    pub(crate) fn session(
        &self,
        graph: &Graph,
        level: GraphOptimizationLevel,
    ) -> Result<Session, EngineError> {
        let started = Instant::now();
        let session = self
            .try_session(graph, level)
            .map_err(|error| EngineError::Graph {
                file: graph.file.clone(),
                reason: error.to_string(),
            })?;
        tracing::debug!(graph = graph.file, threads = self.threads, took = ?started.elapsed(), "opened");
        Ok(session)
    }

    /// A session to be, on the device. Nothing falls back to the CPU where that fails.
    fn on_device(&self) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&self.environment)?;
        match self.device {
            Device::Cpu => Ok(builder),
            Device::Cuda(number) => cuda(builder, number),
        }
    }

    /// The memory that a device's outputs are bound to: pinned, so that they are copied to the processor without a stop.
    pub(crate) fn pinned_memory(&self) -> Option<MemoryInfo<'static>> {
        let Device::Cuda(number) = self.device else {
            return None;
        };
        let memory = MemoryInfo::new(
            AllocationDevice::CUDA_PINNED,
            number.into(),
            AllocatorType::Device,
            MemoryType::CPUOutput,
        );
        Some(memory.expect("a description of memory is made of four values"))
    }

    fn try_session(&self, graph: &Graph, level: GraphOptimizationLevel) -> ort::Result<Session> {
        self.on_device()?
            .with_optimization_level(level)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Several sessions share the cores: threads that spin while they wait take them from one another.
            .with_intra_op_spinning(false)?
            // Batches vary in size, and a memory pattern is kept for each.
            .with_memory_pattern(false)?
            .commit_from_memory(&graph.bytes)
    }
}

/// CUDA for a session's nodes, in full single precision: in TF32 the same face is another by some levels of its pixels, and gradients by
/// some percent. ONNX Runtime's defaults would try all convolutions at every new size, and take memory by powers of two.
#[cfg(feature = "cuda")]
fn cuda(builder: SessionBuilder, number: u16) -> ort::Result<SessionBuilder> {
    use ort::ep::{ArenaExtendStrategy, CUDA, cuda::ConvAlgorithmSearch};
    use ort::logging::LogLevel;
    let provider = CUDA::default()
        .with_device_id(i32::from(number))
        .with_tf32(false)
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        .build()
        .error_on_failure();
    // It would warn of arithmetic on shapes, which it leaves to the processor.
    let builder = builder.with_log_level(LogLevel::Error)?;
    Ok(builder.with_execution_providers([provider])?)
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: SessionBuilder, _: u16) -> ort::Result<SessionBuilder> {
    Err(ort::Error::new(
        "this program was built without the feature `cuda`",
    ))
}

/// The first place that has the library; its bare name, for the system's loader, if none has.
fn find() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(LIBRARY)));
    let fetched = Path::new(".onnxruntime").join(LIBRARY);
    beside
        .into_iter()
        .chain([fetched])
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(LIBRARY))
}
