//! A model and its jobs without a service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::progress_line::ProgressLine;
use crate::catalog::ModelFolder;
use crate::editor::{EditorError, Job, JobProgress, JobStatus, Jobs, LoadError, Model, Models};
use crate::engine::{ByteBudget, Device, EngineError, EngineOptions, QueueLimits, Replicas, Runtime};
use crate::latent::Boundary;
use crate::metrics::Metrics;

/// A command that uses a model could not finish.
#[derive(Debug, thiserror::Error)]
pub enum ModelJobError {
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The job does not fit the model.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// The job failed.
    #[error("{reason}")]
    Failed {
        /// The cause.
        reason: String,
    },
}

/// Opens a model folder with the checks of the service, for a command that has at most `images` in progress.
///
/// # Errors
/// [`LoadError`] for the first file that is wrong.
pub(super) fn open(
    folder: &ModelFolder,
    runtime: &Runtime,
    images: u32,
    replicas: Replicas,
) -> Result<Model, LoadError> {
    let options = EngineOptions {
        replicas,
        queue_limits: QueueLimits {
            capacity: images as usize,
            longest_wait: Duration::MAX,
            batch_wait: Duration::ZERO,
        },
    };
    Model::load(folder, runtime, options, &Metrics::new())
}

/// The async runtime of a command that waits for one thing at a time.
///
/// # Errors
/// The error of the operating system.
pub(super) fn async_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Loads the model of a folder, or the bundled one.
///
/// # Errors
/// [`ModelJobError`] if ONNX Runtime or the model cannot be loaded.
pub(super) fn load(
    folder: Option<&Path>,
    onnxruntime: Option<&Path>,
    device: Device,
) -> Result<Models, ModelJobError> {
    let runtime = Runtime::load(onnxruntime, device, None)?;
    let folder = folder.map_or(ModelFolder::Bundled, |folder| {
        ModelFolder::Disk(folder.to_owned())
    });
    let model = open(&folder, &runtime, 1, Replicas::Measured)?;
    Ok(Models::new(vec![model], None)?)
}

/// The queue of a command's only job. The command does nothing else, so that the samples may take the memory that there is.
pub(super) fn jobs() -> Jobs {
    Jobs::new(ByteBudget::new(usize::MAX, 0, Metrics::new().memory()))
}

/// Waits for a job, shows its progress, and returns its boundaries.
///
/// # Errors
/// [`ModelJobError::Failed`].
pub(super) async fn boundaries_of(
    job: &Job,
    line: &mut ProgressLine,
) -> Result<Vec<Arc<Boundary>>, ModelJobError> {
    let mut changes = job.subscribe();
    loop {
        let state = changes.borrow_and_update().clone();
        if state.status == JobStatus::Done {
            return Ok(state.boundaries);
        }
        if state.status.has_ended() {
            let reason = state
                .failure
                .unwrap_or_else(|| "the job was cancelled".to_owned());
            return Err(ModelJobError::Failed { reason });
        }
        line.show(&progress(&state, job.sample_count()));
        changes
            .changed()
            .await
            .expect("the job sends its last state before it is dropped");
    }
}

/// The progress of a job as one line.
fn progress(state: &JobProgress, samples: usize) -> String {
    match (&state.fitting, state.samples_per_second) {
        (Some(fit), _) => fitting(&fit.attribute, fit.share),
        (None, Some(rate)) => format!("{} of {samples} faces, {rate:.0} a second", state.samples_done),
        (None, None) => format!("0 of {samples} faces"),
    }
}

/// The progress of a fit as one line.
pub(super) fn fitting(attribute: &str, share: f64) -> String {
    format!("{attribute}: {:.0} %", 100.0 * share)
}
