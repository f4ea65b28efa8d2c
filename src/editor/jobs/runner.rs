//! The runner of one job: waits for earlier jobs, does the work, and records its results.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::editor::directions::finder::DirectionFinder;
use crate::editor::jobs::job::{FitProgress, Job, JobStatus};
use crate::editor::jobs::sample_shelf::SampleShelf;
use crate::editor::judging::judge::Judge;
use crate::editor::style_channels::ranker::StyleRanker;
use crate::editor::training::trainer::Trainer;
use crate::editor::{EditorError, KeepRule, KeptSamples, Models, TrainSource};
use crate::engine::{ByteBudget, MemoryUse, Reservation};
use crate::latent::{Boundary, FitError, LatentError};

/// How long a store may fail before a job fails because its boundary cannot be stored.
const LONGEST_OUTAGE: Duration = Duration::from_mins(15);

/// The time between two attempts to store a boundary.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// The work of a job.
pub(crate) enum JobWork {
    /// Train boundaries, and give each to the model when it is fitted.
    Train(Trainer),
    /// Make a report.
    Report(Judge),
    /// Find directions, and give them to the model.
    Directions(DirectionFinder),
    /// Rank style channels, and give the model boundaries of the best.
    RankStyles(StyleRanker),
}

/// The memory of a job's codes.
pub(crate) enum JobMemory {
    /// It is reserved: the codes came with the request.
    Reserved { _memory: Reservation },
    /// It is reserved before the job runs.
    Needed { budget: ByteBudget, bytes: usize },
}

impl JobMemory {
    /// Waits until the memory is free, and takes that of kept samples if need be. `None` if it is reserved already.
    async fn reserve(&self, kept: &SampleShelf) -> Result<Option<Reservation>, EditorError> {
        match self {
            Self::Reserved { .. } => Ok(None),
            Self::Needed { budget, bytes } => {
                let make_room = || kept.drop_oldest();
                let reserved = budget.reserve_when_free(MemoryUse::Job, *bytes, make_room);
                Ok(Some(reserved.await?))
            }
        }
    }
}

/// Why a job ended early.
enum EarlyEnd {
    Failed(String),
    Cancelled,
}

impl From<EditorError> for EarlyEnd {
    fn from(error: EditorError) -> Self {
        match error {
            EditorError::Latent(LatentError::Fit(FitError::Cancelled)) => Self::Cancelled,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Runs one job.
pub(crate) struct JobRunner {
    pub(crate) job: Arc<Job>,
    pub(crate) models: Models,
    pub(crate) work: JobWork,
    pub(crate) memory: JobMemory,
    pub(crate) samples: SampleShelf,
}

impl JobRunner {
    /// Runs the job when its memory is free and `turn` has a permit, and records how it ended. If the work panics, the job has
    /// failed.
    pub(crate) async fn run(self, turn: Arc<Semaphore>) {
        let (job, samples) = (Arc::clone(&self.job), self.samples.clone());
        let work = tokio::spawn(async move { self.work_in_turn(&turn).await });
        let ended = work.await;
        let ended = ended.unwrap_or_else(|panic| Err(EarlyEnd::Failed(panic.to_string())));
        let (status, failure) = match ended {
            Ok(()) => (JobStatus::Done, None),
            Err(EarlyEnd::Cancelled) => (JobStatus::Cancelled, None),
            Err(EarlyEnd::Failed(reason)) => (JobStatus::Failed, Some(reason)),
        };
        let (id, model) = (job.id(), job.model());
        tracing::info!(job = id, model, ?status, failure, "a job has ended");
        job.update(|progress| {
            progress.fitting = None;
            (progress.status, progress.failure) = (status, failure);
        });
        samples.keep(&job);
    }

    async fn work_in_turn(&self, turn: &Semaphore) -> Result<(), EarlyEnd> {
        // Memory comes first: a queued job may hold the memory that this one waits for, and needs its turn to free it.
        let memory = self
            .unless_cancelled(self.memory.reserve(&self.samples))
            .await??;
        let turn = self.unless_cancelled(turn.acquire()).await?;
        let _turn = turn.expect("the semaphore is never closed");
        match &self.work {
            JobWork::Train(trainer) => self.train(trainer, memory).await,
            JobWork::Report(judge) => self.report(judge, memory).await,
            JobWork::Directions(finder) => self.find_directions(finder, memory).await,
            JobWork::RankStyles(ranker) => self.rank_styles(ranker, memory).await,
        }
    }

    async fn report(&self, judge: &Judge, _memory: Option<Reservation>) -> Result<(), EarlyEnd> {
        self.job.update(|progress| progress.status = JobStatus::Sampling);
        let report = judge.report(self.counter());
        let report = Arc::new(self.unless_cancelled(report).await??);
        self.job.update(|progress| progress.report = Some(report));
        Ok(())
    }

    async fn find_directions(
        &self,
        finder: &DirectionFinder,
        _memory: Option<Reservation>,
    ) -> Result<(), EarlyEnd> {
        self.job.update(|progress| progress.status = JobStatus::Sampling);
        let found = finder.find(self.counter());
        for boundary in self.unless_cancelled(found).await?? {
            self.put(Arc::new(boundary)).await?;
        }
        Ok(())
    }

    async fn rank_styles(&self, ranker: &StyleRanker, _memory: Option<Reservation>) -> Result<(), EarlyEnd> {
        self.job.update(|progress| progress.status = JobStatus::Sampling);
        let effects = ranker.effects(self.counter());
        let effects = self.unless_cancelled(effects).await??;
        for index in 0..ranker.request().names.len() {
            let boundary = ranker.boundary(index, &effects)?;
            self.put(Arc::new(boundary)).await?;
        }
        Ok(())
    }

    /// Gives a boundary to the model. While the store fails, it tries again: the boundary may have taken hours.
    async fn put(&self, boundary: Arc<Boundary>) -> Result<(), EarlyEnd> {
        let begun = Instant::now();
        loop {
            let put = self.models.put_boundary(self.job.model(), Arc::clone(&boundary));
            match put.await {
                Err(EditorError::NotStored(error))
                    if error.is_of_failing_store() && begun.elapsed() < LONGEST_OUTAGE =>
                {
                    let attribute = boundary.attribute();
                    tracing::warn!(%error, job = self.job.id(), attribute, "a boundary waits for the store");
                    self.unless_cancelled(sleep(RETRY_INTERVAL)).await?;
                }
                put => {
                    put?;
                    self.job.update(|progress| progress.boundaries.push(boundary));
                    return Ok(());
                }
            }
        }
    }

    async fn train(&self, trainer: &Trainer, mut memory: Option<Reservation>) -> Result<(), EarlyEnd> {
        let request = trainer.request();
        if let TrainSource::Sampled { .. } = request.source {
            self.job.update(|progress| progress.status = JobStatus::Sampling);
        }
        let codes = trainer.codes(self.counter());
        let codes = Arc::new(self.unless_cancelled(codes).await??);
        if let Some(scored) = trainer.sampled(&codes)
            && let Some(memory) = memory.take()
        {
            let samples = KeptSamples::new(trainer.model(), scored, memory);
            self.job.keep_samples(samples);
        }
        for (index, name) in request.names.iter().enumerate() {
            let boundary = trainer.fit(index, &codes, self.fit_progress(name));
            let boundary = Arc::new(boundary.await?);
            if request.keep == KeepRule::Better {
                let model = self.models.get(Some(self.job.model()))?;
                // It may have been replaced since the job began. Boundaries of different generators cannot be compared.
                model.check_boundary(&boundary)?;
                let current = model.boundaries().find(name, request.space).cloned();
                let comparison = trainer.compare(index, &codes, &boundary, current).await?;
                let keeps_new = comparison.keeps_new();
                self.job.update(|progress| progress.comparisons.push(comparison));
                if !keeps_new {
                    continue;
                }
            }
            self.put(boundary).await?;
        }
        Ok(())
    }

    /// Records how many codes are scored, and how many per second since now.
    fn counter(&self) -> impl FnMut(usize) {
        let started = Instant::now();
        move |done: usize| {
            #[expect(clippy::cast_precision_loss, reason = "a rate to show")]
            let rate = done as f64 / started.elapsed().as_secs_f64();
            self.job.update(|progress| {
                progress.samples_done = done;
                progress.samples_per_second = Some(rate);
            });
        }
    }

    /// Records the progress of one fit, and ends the fit if the job is cancelled.
    fn fit_progress(&self, attribute: &str) -> impl FnMut(f64) -> ControlFlow<()> + Send + 'static {
        let (job, attribute) = (Arc::clone(&self.job), attribute.to_owned());
        move |share: f64| {
            job.update(|progress| {
                progress.status = JobStatus::Fitting;
                progress.fitting = Some(FitProgress {
                    attribute: attribute.clone(),
                    share,
                });
            });
            if job.cancellation().is_cancelled() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, EarlyEnd> {
        tokio::select! {
            biased;
            () = self.job.cancellation().cancelled() => Err(EarlyEnd::Cancelled),
            done = work => Ok(done),
        }
    }
}
