//! The ONNX Runtime library: found, loaded, and asked for sessions.

use std::path::{Path, PathBuf};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::EngineError;
use crate::catalog::Graph;

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
    threads: usize,
    path: PathBuf,
}

impl Runtime {
    /// Loads the library from `path`, or else from the first of: beside the program, `.onnxruntime/` in the working
    /// directory, the system's loader. Each session gets `threads` threads.
    ///
    /// # Errors
    /// [`EngineError::Library`] where there is none, or it is no ONNX Runtime, or too old.
    pub fn load(path: Option<&Path>, threads: usize) -> Result<Self, EngineError> {
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
        Ok(Self {
            environment,
            threads,
            path,
        })
    }

    /// The library that was loaded.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a session of a graph.
    pub(super) fn session(&self, graph: &Graph) -> Result<Session, EngineError> {
        self.try_session(graph).map_err(|error| EngineError::Graph {
            file: graph.file.clone(),
            reason: error.to_string(),
        })
    }

    fn try_session(&self, graph: &Graph) -> ort::Result<Session> {
        Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // Several sessions share the cores: threads that spin while they wait take them from one another.
            .with_intra_op_spinning(false)?
            // Batches vary in size, and a memory pattern is kept for each.
            .with_memory_pattern(false)?
            .commit_from_memory(&graph.bytes)
    }
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
