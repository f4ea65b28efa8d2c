//! ONNX Runtime's library: where it is found, and how its sessions are configured.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use ort::environment::Environment;
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::catalog::Graph;
use crate::engine::onnx::library_log;
use crate::engine::{Device, EngineError, Watchdog};
use crate::graph::Outline;

/// File name of the library.
const LIBRARY: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

/// A loaded ONNX Runtime, with the device and the number of threads of its sessions. Cheap to clone.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    device: Device,
    threads: usize,
    path: PathBuf,
    /// Held for reading while graphs are opened, and for writing while runs are measured. Shared by all clones.
    opening: Arc<RwLock<()>>,
    /// Watches the runs of all sessions.
    watchdog: Watchdog,
}

impl Runtime {
    /// Loads the library from `path`. By default, the first of these is used: the program's folder, `.onnxruntime/` in the
    /// working directory, the system's library path.
    ///
    /// Sessions run on `device` with `threads` threads each. By default, a session has one thread on a GPU, and on the CPU one
    /// for each core that the process may use. This respects its affinity and control group, which ONNX Runtime's own default
    /// ignores.
    ///
    /// # Errors
    /// [`EngineError::Library`] if the library is missing, older than version 1.24, or not ONNX Runtime; [`EngineError::Device`]
    /// if it cannot use the device.
    pub fn load(path: Option<&Path>, device: Device, threads: Option<usize>) -> Result<Self, EngineError> {
        let path = path.map_or_else(default_path, Path::to_path_buf);
        let failed = |reason: String| EngineError::Library {
            path: path.clone(),
            reason,
        };
        if path.components().count() > 1 && !path.is_file() {
            return Err(failed("there is no such file".to_owned()));
        }
        // `ort` would resolve a relative path against the program's folder.
        let absolute = if path.components().count() > 1 {
            std::path::absolute(&path).map_err(|error| failed(error.to_string()))?
        } else {
            path.clone()
        };
        let builder = ort::init_from(absolute).map_err(|error| failed(error.to_string()))?;
        let environment = builder
            .with_name("faceplane")
            .with_telemetry(false)
            .with_logger(Arc::new(library_log::log))
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Self {
            environment,
            device,
            threads: threads.unwrap_or_else(|| match device {
                Device::Cpu => cores(),
                // With a GPU, the CPU only computes shapes, and there are many sessions.
                Device::Cuda(_) => 1,
            }),
            path,
            opening: Arc::default(),
            watchdog: Watchdog::start(),
        };
        runtime.session_builder().map_err(|error| EngineError::Device {
            device,
            library: runtime.path.clone(),
            reason: error.to_string(),
        })?;
        Ok(runtime)
    }

    /// The device of the sessions.
    #[must_use]
    pub fn device(&self) -> Device {
        self.device
    }

    /// The library's environment. A process has one, so graphs outside of a model folder are opened with it too.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The watchdog of the sessions' runs.
    #[must_use]
    pub fn watchdog(&self) -> &Watchdog {
        &self.watchdog
    }

    /// What identifies the build of the library. Results of two builds can differ in the last bits.
    #[must_use]
    pub fn build(&self) -> &'static str {
        let info = ort::info();
        let commit = info.split_once("git-commit-id=").map(|(_, rest)| rest);
        commit
            .and_then(|commit| commit.split([',', ' ']).next())
            .unwrap_or(info)
    }

    /// Threads of each session.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// A runtime with another number of threads for each session.
    pub(crate) fn with_threads(&self, threads: usize) -> Self {
        Self {
            threads,
            ..self.clone()
        }
    }

    /// A runtime with another watchdog.
    #[cfg(test)]
    pub(crate) fn with_watchdog(&self, watchdog: Watchdog) -> Self {
        Self {
            watchdog,
            ..self.clone()
        }
    }

    /// Waits until no runs are measured, and prevents measurements while the guard exists. Several models may hold it.
    pub(crate) fn lock_for_opening(&self) -> RwLockReadGuard<'_, ()> {
        self.opening.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no graphs are opened and no other runs are measured, and prevents both while the guard exists: a
    /// measurement needs all cores.
    pub(crate) fn lock_for_measuring(&self) -> RwLockWriteGuard<'_, ()> {
        self.opening.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of the library.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a session of a graph. An error if the graph has random nodes.
    pub(crate) fn session(
        &self,
        graph: &Graph,
        level: GraphOptimizationLevel,
    ) -> Result<Session, EngineError> {
        check_no_random_nodes(graph)?;
        self.any_session(graph, level)
    }

    /// Opens a session of a graph that may have random nodes.
    pub(crate) fn any_session(
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
        tracing::debug!(graph = graph.file, threads = self.threads, took = ?started.elapsed(), "a session is open");
        Ok(session)
    }

    /// A session builder for the device. If the device cannot be used, this is an error; ONNX Runtime's default would be to
    /// fall back to the CPU silently.
    fn session_builder(&self) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&self.environment)?;
        match self.device {
            Device::Cpu => Ok(builder),
            Device::Cuda(number) => cuda(builder, number),
        }
    }

    /// The memory that outputs of a GPU are bound to: pinned, so that they are copied to the CPU without another
    /// synchronization. `None` on the CPU.
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
        Some(memory.expect("CUDA's pinned memory can be described"))
    }

    fn try_session(&self, graph: &Graph, level: GraphOptimizationLevel) -> ort::Result<Session> {
        let mut builder = self.session_builder()?;
        for (name, weights) in &graph.weights {
            builder = builder.with_external_initializer_file_in_memory(name, Arc::clone(weights))?;
        }
        builder
            .with_optimization_level(level)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Several sessions share the cores: a thread that spins while it waits takes a core from another session.
            .with_intra_op_spinning(false)?
            // ONNX Runtime would keep a memory pattern for each batch size.
            .with_memory_pattern(false)?
            .commit_from_memory(&graph.bytes)
    }
}

/// An error if a run of the graph would depend on more than its inputs: the same seed would then be another face each time.
fn check_no_random_nodes(graph: &Graph) -> Result<(), EngineError> {
    let random = Outline::read(&graph.bytes).random_nodes;
    match random.first() {
        None => Ok(()),
        Some(first) => Err(EngineError::Graph {
            file: graph.file.clone(),
            reason: format!(
                "found {} random nodes, the first is {first}; expected none, because the same code must always be the same \
                 face: `faceplane import {}` replaces them by constants",
                random.len(),
                graph.file
            ),
        }),
    }
}

/// A session builder for CUDA, with other settings than ONNX Runtime's defaults:
///
/// - TF32 is off. With it, the pixels of the same seed differ by some levels between batch sizes, and gradients by some
///   percent; without it, by one level in a few bytes.
/// - Convolution algorithms are chosen by heuristics. The default measures all of them for every new batch size.
/// - Memory grows by what is needed. The default grows by powers of two.
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
    // It would warn that shapes are computed on the CPU, which is intended.
    let builder = builder.with_log_level(LogLevel::Error)?;
    Ok(builder.with_execution_providers([provider])?)
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: SessionBuilder, _: u16) -> ort::Result<SessionBuilder> {
    Err(ort::Error::new(
        "this program was built without the feature `cuda`",
    ))
}

/// The library in the program's folder or in `.onnxruntime/`. If neither has it, its file name, for the system's loader.
fn default_path() -> PathBuf {
    let installed = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(LIBRARY)));
    let fetched = Path::new(".onnxruntime").join(LIBRARY);
    installed
        .into_iter()
        .chain([fetched])
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(LIBRARY))
}
