//! Jobs: trainings and reports that go on after their request was answered, one at a time, behind people's requests.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::editor::jobs::job::{Subject, Task};
use crate::editor::{EditorError, Job, Model, Models, ReportRequest, TrainRequest};

/// Most jobs that may wait or run.
const MOST_OPEN: usize = 16;
/// Ended jobs that are remembered.
const REMEMBERED: usize = 100;

/// All jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    all: Arc<Mutex<VecDeque<Arc<Job>>>>,
    turn: Arc<Semaphore>,
    last: Arc<AtomicU64>,
    closing: CancellationToken,
}

impl Jobs {
    /// No jobs yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            all: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
            last: Arc::default(),
            closing: CancellationToken::new(),
        }
    }

    /// Begins a training, as soon as the jobs before it have ended.
    ///
    /// # Errors
    /// [`EditorError`] for a request that does not fit the model, for too many jobs, and while the service ends.
    pub fn train(
        &self,
        models: &Models,
        model: Arc<Model>,
        request: TrainRequest,
    ) -> Result<Arc<Job>, EditorError> {
        model.check_training(&request)?;
        let subject = Subject {
            attributes: request.attributes.clone(),
            space: request.space,
            samples: request.samples(),
        };
        self.begin(models, model, Task::Train(request), subject)
    }

    /// Begins a report, as soon as the jobs before it have ended.
    ///
    /// # Errors
    /// [`EditorError`] for a request that does not fit the model, for too many jobs, and while the service ends.
    pub fn report(
        &self,
        models: &Models,
        model: Arc<Model>,
        request: ReportRequest,
    ) -> Result<Arc<Job>, EditorError> {
        let pictures = model.check_report(&request)?;
        let scored = model.outputs().iter().map(|output| output.attribute.clone());
        let judged = scored.filter(|attribute| model.boundary(attribute, request.space).is_ok());
        let subject = Subject {
            attributes: judged.collect(),
            space: request.space,
            samples: pictures,
        };
        self.begin(models, model, Task::Report(request), subject)
    }

    fn begin(
        &self,
        models: &Models,
        model: Arc<Model>,
        task: Task,
        subject: Subject,
    ) -> Result<Arc<Job>, EditorError> {
        if self.closing.is_cancelled() {
            return Err(EditorError::Closing);
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.iter().filter(|job| !job.state().stage.ended()).count();
        if open >= MOST_OPEN {
            return Err(EditorError::TooManyJobs { most: MOST_OPEN });
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let job = Arc::new(Job::new(id, &model, subject, self.closing.child_token()));
        if all.len() >= MOST_OPEN + REMEMBERED
            && let Some(oldest) = all.iter().position(|job| job.state().stage.ended())
        {
            all.remove(oldest);
        }
        all.push_back(Arc::clone(&job));
        drop(all);
        let (turn, models) = (Arc::clone(&self.turn), models.clone());
        tokio::spawn(Arc::clone(&job).do_in_turn(turn, models, model, task));
        Ok(job)
    }

    /// The job called `id`.
    ///
    /// # Errors
    /// [`EditorError::UnknownJob`].
    pub fn get(&self, id: &str) -> Result<Arc<Job>, EditorError> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|job| job.id() == id).cloned();
        found.ok_or_else(|| EditorError::UnknownJob { found: id.to_owned() })
    }

    /// All that are remembered, the newest last.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Job>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().cloned().collect()
    }

    /// Cancels all jobs, and takes no more.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Waits until every job has ended.
    pub async fn ended(&self) {
        for job in self.list() {
            job.ended().await;
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self::new()
    }
}
