//! The queue of jobs: one runs at a time, in the background lane of its model.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::editor::directions::finder::DirectionFinder;
use crate::editor::jobs::job::{Job, JobDescription};
use crate::editor::jobs::job_numbers::JobNumbers;
use crate::editor::jobs::runner::{JobMemory, JobRunner, JobWork};
use crate::editor::jobs::sample_shelf::SampleShelf;
use crate::editor::judging::judge::Judge;
use crate::editor::style_channels::ranker::StyleRanker;
use crate::editor::training::code_memory::CodeMemory;
use crate::editor::training::trainer::Trainer;
use crate::editor::{
    DirectionsRequest, EditorError, JobError, Model, Models, ReportRequest, TrainRequest, TrainSource,
};
use crate::engine::{ByteBudget, MemoryError, MemoryUse, Reservation, change_permit};
use crate::latent::LatentSpace;

/// Most jobs that are queued or run.
const MOST_OPEN: usize = 16;
/// Most ended jobs that are remembered.
const MOST_REMEMBERED: usize = 100;

/// All jobs. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    all: Arc<Mutex<VecDeque<Arc<Job>>>>,
    /// One permit, for the job that runs.
    turn: Arc<Semaphore>,
    numbers: Arc<JobNumbers>,
    /// Holds the codes of jobs.
    memory: ByteBudget,
    /// Holds the samples of ended jobs, in at most half of the memory of jobs.
    shelf: SampleShelf,
    shutdown: CancellationToken,
}

impl Jobs {
    /// Most jobs that are remembered, those that have not ended included.
    pub(crate) const MOST: usize = MOST_OPEN + MOST_REMEMBERED;

    /// An empty queue. Jobs hold their codes in `memory`.
    #[must_use]
    pub fn new(memory: ByteBudget) -> Self {
        Self {
            all: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
            numbers: Arc::default(),
            shelf: SampleShelf::new(memory.most(MemoryUse::Job) / 2),
            memory,
            shutdown: CancellationToken::new(),
        }
    }

    /// The same queue, in one of several services that share a store: its jobs have numbers that no other service gives. `service` is a
    /// random number.
    #[must_use]
    pub(crate) fn of_service(self, service: u64) -> Self {
        Self {
            numbers: Arc::new(JobNumbers::of_service(service)),
            ..self
        }
    }

    /// Queues a training.
    ///
    /// # Errors
    /// [`EditorError`] if the request does not fit the model, its codes do not fit into memory, there is no room for its boundaries,
    /// the queue is full, or the service is shutting down.
    pub fn train(
        &self,
        models: &Models,
        model: Arc<Model>,
        mut request: TrainRequest,
    ) -> Result<Arc<Job>, EditorError> {
        if let (LatentSpace::S, &TrainSource::Sampled { samples, seed }) = (request.space, &request.source) {
            return self.rank_styles(models, StyleRanker::new(model, request, samples, seed)?);
        }
        let memory = CodeMemory::of_training(&model, &request)?;
        request.limit(memory.most_samples(self.memory.most(MemoryUse::Job)));
        let description = JobDescription {
            model: model.name().to_owned(),
            attributes: request.names.clone(),
            space: request.space,
            samples: request.samples(),
            without_samples: match request.source {
                TrainSource::Sampled { .. } => None,
                TrainSource::Kept(_) => Some("was given those of an earlier job"),
                TrainSource::Labelled(_) => Some("was given codes and scores"),
            },
        };
        let memory = CodeMemory::of_training(&model, &request)?;
        let trainer = Trainer::new(Arc::clone(&model), request)?;
        let (names, space) = (&trainer.request().names, trainer.request().space);
        let (rows, dim) = model.code_shape(space)?;
        let bytes_each = rows * dim * size_of::<f64>();
        models.check_room(&model, names.iter().map(String::as_str), space, bytes_each)?;
        let memory = match trainer.request().source {
            TrainSource::Sampled { .. } => self.memory_to_sample(memory)?,
            // The codes are there while the job waits. If it waited in line with them, it could block the job before it.
            TrainSource::Kept(_) | TrainSource::Labelled(_) => JobMemory::Reserved {
                _memory: self.reserve_now(memory.bytes())?,
            },
        };
        self.queue(models, JobWork::Train(trainer), description, memory)
    }

    /// Queues a ranking of style channels: what training on sampled codes is in s.
    fn rank_styles(&self, models: &Models, ranker: StyleRanker) -> Result<Arc<Job>, EditorError> {
        let (model, names) = (ranker.model(), &ranker.request().names);
        let (rows, dim) = model.code_shape(LatentSpace::S)?;
        let bytes_each = rows * dim * size_of::<f64>();
        models.check_room(
            model,
            names.iter().map(String::as_str),
            LatentSpace::S,
            bytes_each,
        )?;
        let description = JobDescription {
            model: model.name().to_owned(),
            attributes: names.clone(),
            space: LatentSpace::S,
            samples: ranker.images(),
            without_samples: Some("ranked style channels"),
        };
        let memory = JobMemory::Needed {
            budget: self.memory.clone(),
            bytes: ranker.bytes(),
        };
        self.queue(models, JobWork::RankStyles(ranker), description, memory)
    }

    /// Queues a report.
    ///
    /// # Errors
    /// [`EditorError`] if the request does not fit the model, its codes do not fit into memory, the queue is full, or the service is
    /// shutting down.
    pub fn report(
        &self,
        models: &Models,
        model: Arc<Model>,
        request: ReportRequest,
    ) -> Result<Arc<Job>, EditorError> {
        let name = model.name().to_owned();
        let memory = CodeMemory::of_report(&model, &request)?;
        let judge = Judge::new(model, request, Arc::default())?;
        let memory = self.memory_to_sample(memory)?;
        let description = JobDescription {
            model: name,
            attributes: judge.attributes().map(str::to_owned).collect(),
            space: judge.space(),
            samples: judge.images(),
            without_samples: Some("makes a report"),
        };
        self.queue(models, JobWork::Report(judge), description, memory)
    }

    /// Queues a search for directions without labels.
    ///
    /// # Errors
    /// [`EditorError`] if the model lacks what the method needs, its codes do not fit into memory, there is no room for its boundaries,
    /// the queue is full, or the service is shutting down.
    pub fn directions(
        &self,
        models: &Models,
        model: Arc<Model>,
        request: DirectionsRequest,
    ) -> Result<Arc<Job>, EditorError> {
        let finder = DirectionFinder::new(Arc::clone(&model), request)?;
        let (names, space) = (finder.request().names(), finder.space());
        let bytes_each = model.shape().w_dim * size_of::<f64>();
        models.check_room(&model, names.iter().map(String::as_str), space, bytes_each)?;
        let memory = self.memory_to_sample(CodeMemory::of_directions(&model, &request))?;
        let description = JobDescription {
            model: model.name().to_owned(),
            attributes: names,
            space,
            samples: request.sampled(),
            without_samples: Some("finds directions"),
        };
        self.queue(models, JobWork::Directions(finder), description, memory)
    }

    /// The memory of a job that samples its codes when its turn comes.
    fn memory_to_sample(&self, needed: CodeMemory) -> Result<JobMemory, EditorError> {
        needed.check(self.memory.most(MemoryUse::Job))?;
        Ok(JobMemory::Needed {
            budget: self.memory.clone(),
            bytes: needed.bytes(),
        })
    }

    /// Reserves memory of jobs at once, if need be that of kept samples.
    fn reserve_now(&self, bytes: usize) -> Result<Reservation, MemoryError> {
        loop {
            match self.memory.reserve(MemoryUse::Job, bytes) {
                Err(MemoryError::Full { .. }) if self.shelf.drop_oldest() => {}
                reserved => return reserved,
            }
        }
    }

    fn queue(
        &self,
        models: &Models,
        work: JobWork,
        description: JobDescription,
        memory: JobMemory,
    ) -> Result<Arc<Job>, EditorError> {
        if self.shutdown.is_cancelled() {
            return Err(JobError::ShuttingDown.into());
        }
        let mut all = self.lock();
        let has_ended = |job: &Arc<Job>| job.progress().status.has_ended();
        if all.iter().filter(|job| !has_ended(job)).count() >= MOST_OPEN {
            return Err(JobError::TooMany { most: MOST_OPEN }.into());
        }
        if !change_permit().begin() {
            return Err(EditorError::TooLate);
        }
        let number = self.numbers.next(SystemTime::now());
        let job = Arc::new(Job::new(number, description, self.shutdown.child_token()));
        if all.len() >= Self::MOST
            && let Some(oldest) = all.iter().position(has_ended)
        {
            all.remove(oldest);
        }
        all.push_back(Arc::clone(&job));
        drop(all);
        let runner = JobRunner {
            job: Arc::clone(&job),
            models: models.clone(),
            work,
            memory,
            samples: self.shelf.clone(),
        };
        tokio::spawn(runner.run(Arc::clone(&self.turn)));
        Ok(job)
    }

    /// The job with the id `id`.
    ///
    /// # Errors
    /// [`JobError::Unknown`].
    pub fn get(&self, id: &str) -> Result<Arc<Job>, JobError> {
        let found = self.lock().iter().find(|job| job.id() == id).cloned();
        found.ok_or_else(|| JobError::Unknown { found: id.to_owned() })
    }

    /// All jobs that are remembered and older than the one with the id `id`, the newest first; all jobs for `None`.
    #[must_use]
    pub fn before(&self, id: Option<u64>) -> Vec<Arc<Job>> {
        let is_before = |job: &&Arc<Job>| id.is_none_or(|id| job.number() < id);
        self.lock().iter().rev().filter(is_before).cloned().collect()
    }

    /// Cancels all jobs, and refuses new ones.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Waits until every job has ended.
    pub async fn wait(&self) {
        for job in self.before(None) {
            job.wait().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
