//! Jobs: trainings and reports that go on after their request was answered, one at a time, behind people's requests.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use ndarray::{Array1, Array2, Axis};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::date::rfc3339;
use super::train::ScoredCodes;
use super::{EditorError, GivenCodes, Model, Models, Report, ReportRequest, TrainRequest, TrainSource};
use crate::latent::{Boundary, LatentError, LatentSpace, Method, Provenance, Separation};

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

/// What a job is to do.
enum Task {
    Train(TrainRequest),
    Report(ReportRequest),
}

/// A training or a report, under way or ended.
pub struct Job {
    id: String,
    model: String,
    attributes: Vec<String>,
    space: LatentSpace,
    samples: usize,
    state: watch::Sender<JobState>,
    cancel: CancellationToken,
}

/// How far a job is.
#[derive(Clone, Debug)]
pub struct JobState {
    /// What it does.
    pub stage: Stage,
    /// Codes that are scored.
    pub samples_done: usize,
    /// Codes scored in a second, once that is known.
    pub samples_per_second: Option<f64>,
    /// The attribute whose plane is being found, and the share of that which is done.
    pub fitting: Option<(String, f64)>,
    /// The boundaries found so far; the model has them.
    pub boundaries: Vec<Boundary>,
    /// The report, where one was asked for and is done.
    pub report: Option<Arc<Report>>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Others are before it.
    Waiting,
    /// Codes are drawn and scored.
    Sampling,
    /// Planes are found.
    Fitting,
    /// All boundaries are found, and the model has them; or the report is there.
    Done,
    /// It ended with an error.
    Failed,
    /// It was told to end.
    Cancelled,
}

impl Stage {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
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
        let about = (request.attributes.clone(), request.space, request.samples());
        self.begin(models, model, Task::Train(request), about)
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
        let about = (judged.collect(), request.space, pictures);
        self.begin(models, model, Task::Report(request), about)
    }

    fn begin(
        &self,
        models: &Models,
        model: Arc<Model>,
        task: Task,
        (attributes, space, samples): (Vec<String>, LatentSpace, usize),
    ) -> Result<Arc<Job>, EditorError> {
        if self.closing.is_cancelled() {
            return Err(EditorError::Closing);
        }
        let state = JobState {
            stage: Stage::Waiting,
            samples_done: 0,
            samples_per_second: None,
            fitting: None,
            boundaries: Vec::new(),
            report: None,
            failure: None,
        };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.iter().filter(|job| !job.state().stage.ended()).count();
        if open >= MOST_OPEN {
            return Err(EditorError::TooManyJobs { most: MOST_OPEN });
        }
        let job = Arc::new(Job {
            id: (self.last.fetch_add(1, Ordering::Relaxed) + 1).to_string(),
            model: model.name().to_owned(),
            attributes,
            space,
            samples,
            state: watch::Sender::new(state),
            cancel: self.closing.child_token(),
        });
        if all.len() >= MOST_OPEN + REMEMBERED
            && let Some(oldest) = all.iter().position(|job| job.state().stage.ended())
        {
            all.remove(oldest);
        }
        all.push_back(Arc::clone(&job));
        drop(all);
        let (turn, models, own) = (Arc::clone(&self.turn), models.clone(), Arc::clone(&job));
        let work = tokio::spawn({
            let job = Arc::clone(&job);
            async move { job.run(&turn, &models, &model, task).await }
        });
        tokio::spawn(async move {
            let ended = work
                .await
                .unwrap_or_else(|panic| Err(End::Failed(panic.to_string())));
            own.end(ended);
        });
        Ok(job)
    }

    /// The job called `id`.
    ///
    /// # Errors
    /// [`EditorError::UnknownJob`].
    pub fn get(&self, id: &str) -> Result<Arc<Job>, EditorError> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().find(|job| job.id == id).cloned();
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

/// Why a job ends early.
enum End {
    Failed(String),
    Cancelled,
}

impl From<EditorError> for End {
    fn from(error: EditorError) -> Self {
        match error {
            EditorError::Latent(LatentError::Cancelled) => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl Job {
    /// What requests call it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The model that gets the boundaries.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The boundaries' attributes.
    #[must_use]
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The boundaries' space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.space
    }

    /// How many codes there are to score.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// How far it is now.
    #[must_use]
    pub fn state(&self) -> JobState {
        self.state.borrow().clone()
    }

    /// How far it is, from now on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<JobState> {
        self.state.subscribe()
    }

    /// Tells it to end; one that has ended stays as it is.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Its report.
    ///
    /// # Errors
    /// [`EditorError::NoReport`] where it has none, or not yet.
    pub fn report_found(&self) -> Result<Arc<Report>, EditorError> {
        let state = self.state();
        state.report.ok_or_else(|| EditorError::NoReport {
            id: self.id.clone(),
            why: match state.stage {
                Stage::Waiting | Stage::Sampling | Stage::Fitting => "has not ended yet, or finds boundaries",
                Stage::Done => "found boundaries",
                Stage::Failed => "has failed",
                Stage::Cancelled => "was cancelled",
            },
        })
    }

    /// Waits until it has ended.
    pub async fn ended(&self) {
        // The sender lives as long as the job does.
        let _ = self.watch().wait_for(|state| state.stage.ended()).await;
    }

    async fn run(
        &self,
        turn: &Semaphore,
        models: &Models,
        model: &Arc<Model>,
        task: Task,
    ) -> Result<(), End> {
        let _turn = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(End::Cancelled),
            turn = turn.acquire() => turn.expect("the turns are never closed"),
        };
        match task {
            Task::Train(request) => self.train(models, model, request).await,
            Task::Report(request) => self.report(model, request).await,
        }
    }

    async fn report(&self, model: &Arc<Model>, request: ReportRequest) -> Result<(), End> {
        self.state.send_modify(|state| state.stage = Stage::Sampling);
        let report = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(End::Cancelled),
            report = model.report(request, self.counter()) => report?,
        };
        self.state
            .send_modify(|state| state.report = Some(Arc::new(report)));
        Ok(())
    }

    /// Tells how many pictures are drawn and scored since now.
    fn counter(&self) -> impl FnMut(usize) {
        let started = Instant::now();
        move |done: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a rate to show")]
            let rate = done as f64 / started.elapsed().as_secs_f64();
            self.state.send_modify(|state| {
                state.samples_done = done;
                state.samples_per_second = Some(rate);
            });
        }
    }

    async fn train(&self, models: &Models, model: &Arc<Model>, request: TrainRequest) -> Result<(), End> {
        let scored = match &request.source {
            TrainSource::Given(GivenCodes { codes, scores }) => {
                let count = scores.len();
                let column = Array2::from_shape_vec((count, 1), scores.clone());
                let scores = column.expect("one column").mapv(|score| {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "networks score in single precision"
                    )]
                    let score = score as f32;
                    score
                });
                ScoredCodes {
                    codes: codes.clone(),
                    scores,
                }
            }
            TrainSource::Sampled { samples, seed } => {
                self.state.send_modify(|state| state.stage = Stage::Sampling);
                let told = self.counter();
                tokio::select! {
                    biased;
                    () = self.cancel.cancelled() => return Err(End::Cancelled),
                    scored = model.score_samples(request.space, *samples, *seed, told) => scored?,
                }
            }
        };
        let scored = Arc::new(scored);
        for attribute in &request.attributes {
            let boundary = self.fit(attribute, model, &scored, &request).await?;
            models.put_boundary(&self.model, boundary.clone()).await?;
            self.state.send_modify(|state| state.boundaries.push(boundary));
        }
        Ok(())
    }

    /// Finds the plane of one attribute, off the async threads.
    async fn fit(
        &self,
        attribute: &str,
        model: &Model,
        scored: &Arc<ScoredCodes>,
        request: &TrainRequest,
    ) -> Result<Boundary, EditorError> {
        let sampled = matches!(request.source, TrainSource::Sampled { .. });
        let column = if sampled {
            Some(model.column(attribute)?)
        } else {
            None
        };
        let known = Provenance {
            method: Some(method_name(request.separation.method).to_owned()),
            date: Some(rfc3339(SystemTime::now())),
            ..model.provenance(column, request)
        };
        let separation = Separation {
            threshold: column.map(|column| model.outputs()[column].threshold),
            ..request.separation
        };
        let (attribute, space, scored) = (attribute.to_owned(), request.space, Arc::clone(scored));
        let (state, cancel) = (self.state.clone(), self.cancel.clone());
        let work = move || {
            let column = scored.scores.index_axis(Axis(1), column.unwrap_or(0));
            let of_attribute: Array1<f64> = column.mapv(f64::from);
            let told = |share: f64| {
                state.send_modify(|state| {
                    state.stage = Stage::Fitting;
                    state.fitting = Some((attribute.clone(), share));
                });
                if cancel.is_cancelled() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            separation.separate(
                attribute.clone(),
                space,
                scored.codes.view(),
                of_attribute.view(),
                known,
                told,
            )
        };
        let done = tokio::task::spawn_blocking(work).await;
        Ok(done.expect("finding a plane does not panic")?)
    }

    fn end(&self, ended: Result<(), End>) {
        self.state.send_modify(|state| {
            state.fitting = None;
            (state.stage, state.failure) = match ended {
                Ok(()) => (Stage::Done, None),
                Err(End::Cancelled) => (Stage::Cancelled, None),
                Err(End::Failed(reason)) => (Stage::Failed, Some(reason)),
            };
        });
        let state = self.state();
        tracing::info!(job = self.id, model = self.model, stage = ?state.stage, failure = state.failure, "a job has ended");
    }
}

pub(super) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Svm => "svm",
        Method::LeastSquares => "least-squares",
    }
}
