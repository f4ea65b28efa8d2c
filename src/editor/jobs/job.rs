//! A job: a training or a report that goes on after its request was answered.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use ndarray::{Array1, Array2, Axis};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::editor::jobs::date::rfc3339;
use crate::editor::training::train::ScoredCodes;
use crate::editor::{
    EditorError, LabelledCodes, Model, Models, Report, ReportRequest, TrainRequest, TrainSource,
};
use crate::latent::{Boundary, LatentError, LatentSpace, Provenance, Separation};

/// What a job is to do.
pub(crate) enum Task {
    Train(TrainRequest),
    Report(ReportRequest),
}

/// What a job is about.
pub(crate) struct Subject {
    /// The boundaries' attributes.
    pub(crate) attributes: Vec<String>,
    /// The boundaries' space.
    pub(crate) space: LatentSpace,
    /// How many codes there are to score.
    pub(crate) samples: usize,
}

/// A training or a report, under way or ended.
pub struct Job {
    id: String,
    model: String,
    subject: Subject,
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
    /// A job that waits; whoever cancels `cancel` cancels it.
    pub(crate) fn new(id: u64, model: &Model, subject: Subject, cancel: CancellationToken) -> Self {
        let state = JobState {
            stage: Stage::Waiting,
            samples_done: 0,
            samples_per_second: None,
            fitting: None,
            boundaries: Vec::new(),
            report: None,
            failure: None,
        };
        Self {
            id: id.to_string(),
            model: model.name().to_owned(),
            subject,
            state: watch::Sender::new(state),
            cancel,
        }
    }

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
        &self.subject.attributes
    }

    /// The boundaries' space.
    #[must_use]
    pub fn space(&self) -> LatentSpace {
        self.subject.space
    }

    /// How many codes there are to score.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.subject.samples
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

    /// Does the task when the jobs before it have ended; a task that panics is a job that failed.
    pub(crate) async fn do_in_turn(
        self: Arc<Self>,
        turn: Arc<Semaphore>,
        models: Models,
        model: Arc<Model>,
        task: Task,
    ) {
        let job = Arc::clone(&self);
        let work = tokio::spawn(async move { job.run(&turn, &models, &model, task).await });
        let ended = work.await;
        self.end(ended.unwrap_or_else(|panic| Err(End::Failed(panic.to_string()))));
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
            TrainSource::Given(LabelledCodes { codes, scores }) => {
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
            method: Some(request.separation.method.to_string()),
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
