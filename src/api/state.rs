//! The state that all handlers share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::sync::Semaphore;

use crate::api::background_inversions::{BackgroundInversions, KEPT};
use crate::api::base_path::BasePath;
use crate::api::guard::Guard;
use crate::api::image_metadata::{ImageMetadata, RequestRecord};
use crate::api::log_record::note_model;
use crate::api::problem::Problem;
use crate::api::readiness::Readiness;
use crate::api::response_cache::ResponseCache;
use crate::api::shared_jobs::document::JobDocument;
use crate::api::shared_jobs::shared_jobs::SharedJobs;
use crate::editor::{
    EditorError, InversionCache, JobError, Jobs, KeptSamples, Model, ModelChangeError, ModelLoader, Models,
    StoredModels,
};
use crate::engine::ByteBudget;
use crate::imaging::ContentCredentials;
use crate::metrics::Metrics;

/// The most images that are decoded at the same time. Each may take some hundred megabytes.
const MAX_DECODING: usize = 2;

/// The most bodies above 64 KiB that are decoded at the same time. It leaves the other blocking threads to small requests.
const MAX_LARGE_BODIES: usize = 1;

/// The part of the cache's memory for codes of inversions: one of 16, which holds a thousand w codes at 64 MiB. Codes are
/// small, and each saves seconds.
const INVERSION_SHARE: usize = 16;

/// The part of the memory for the responses of ended inversions in the background: one of 16.
const ENDED_INVERSION_SHARE: usize = 16;

/// The most responses about many faces without pictures that are made at the same time. Each keeps all generators busy, so more would
/// only take memory.
const MAX_MANY_FACES: usize = 2;

/// The state that handlers share. A clone is cheap.
#[derive(Clone)]
pub struct Api {
    pub(crate) models: Models,
    /// Changes the models. `None` in a process without model folders.
    loader: Option<ModelLoader>,
    /// Loads the models of the store. `None` without a store.
    pub(crate) stored_models: Option<StoredModels>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) readiness: Readiness,
    pub(crate) cache: Arc<ResponseCache>,
    pub(crate) memory: ByteBudget,
    pub(crate) inversions: Arc<InversionCache>,
    pub(crate) background_inversions: BackgroundInversions,
    pub(crate) decoding: Arc<Semaphore>,
    large_bodies: Arc<Semaphore>,
    /// Turns of responses about many faces without pictures.
    pub(crate) many_faces: Arc<Semaphore>,
    pub(crate) jobs: Jobs,
    /// The jobs in the store. `None` in a service that shares none.
    pub(crate) shared_jobs: Option<SharedJobs>,
    pub(crate) base_path: BasePath,
    pub(crate) guard: Guard,
    credentials: Option<Arc<ContentCredentials>>,
}

/// The limits of a request, and of the cache.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most faces in one response.
    pub max_images: u32,
    /// The longest time of a request.
    pub timeout: Duration,
    /// The size of the caches of responses and of inversions together, in bytes; 0 disables them.
    pub cache_bytes: usize,
    /// The most pixels of an image in a request. A JPEG file may have four times as many; it is then decoded at half its size.
    pub image_pixels: u64,
    /// The memory of everything under way: bodies, decoded images, the codes of jobs, and responses, in bytes.
    pub memory_bytes: usize,
}

impl Api {
    /// The state of a service that has no keys, no job and an empty cache.
    #[must_use]
    pub fn new(models: Models, limits: Limits, metrics: Metrics, readiness: Readiness) -> Self {
        let for_inversions = limits.cache_bytes / INVERSION_SHARE;
        let for_responses = limits.cache_bytes - for_inversions;
        let memory = ByteBudget::new(limits.memory_bytes, for_responses, metrics.memory());
        let cache = Arc::new(ResponseCache::new(for_responses, memory.clone(), &metrics));
        let inversions = Arc::new(InversionCache::new(for_inversions, &metrics));
        Self {
            models,
            loader: None,
            stored_models: None,
            limits,
            metrics,
            readiness,
            cache,
            inversions,
            background_inversions: BackgroundInversions::new(
                KEPT,
                limits.memory_bytes / ENDED_INVERSION_SHARE,
            ),
            decoding: Arc::new(Semaphore::new(MAX_DECODING)),
            large_bodies: Arc::new(Semaphore::new(MAX_LARGE_BODIES)),
            many_faces: Arc::new(Semaphore::new(MAX_MANY_FACES)),
            jobs: Jobs::new(memory.clone()),
            shared_jobs: None,
            memory,
            guard: Guard::default(),
            credentials: None,
            base_path: BasePath::default(),
        }
    }

    /// The same state, with a loader of its models.
    #[must_use]
    pub fn with_loader(self, loader: ModelLoader) -> Self {
        let loader = Some(loader);
        Self { loader, ..self }
    }

    /// The same state, with the models of a store.
    #[must_use]
    pub fn with_stored_models(self, stored_models: Option<StoredModels>) -> Self {
        Self {
            stored_models,
            ..self
        }
    }

    /// The loader, for a change of the model `name`.
    pub(crate) fn loader_of(&self, name: &str) -> Result<&ModelLoader, ModelChangeError> {
        let known = Vec::new();
        let found = name.to_owned();
        self.loader
            .as_ref()
            .ok_or(ModelChangeError::NoFolder { found, known })
    }

    /// The same state, in one of several services on the store of the models, if there is a store: each shows the jobs of the others.
    /// `service` is the name of this one, for people.
    #[must_use]
    pub fn with_shared_jobs(self, service: &str) -> Self {
        let Some(files) = self.models.job_files() else {
            return self;
        };
        Self {
            // Without random numbers, jobs of two services could begin in the same millisecond, and one would not be shared.
            jobs: self.jobs.of_service(getrandom::u64().unwrap_or_default()),
            shared_jobs: Some(SharedJobs::new(files, service)),
            ..self
        }
    }

    /// The JSON of a job of another service.
    pub(crate) fn shown(&self, id: &str, job: &JobDocument, now: SystemTime) -> Value {
        job.shown(&self.base_path.link(&format!("/v1/jobs/{id}/report")), now)
    }

    /// The job of another service with this id; `None` if there is none.
    pub(crate) async fn shared_job(&self, id: &str) -> Result<Option<JobDocument>, Problem> {
        match &self.shared_jobs {
            Some(shared) => shared.find(id).await,
            None => Ok(None),
        }
    }

    /// The samples of a job of this service.
    pub(crate) async fn samples_of(&self, id: &str) -> Result<Arc<KeptSamples>, Problem> {
        match self.jobs.get(id) {
            Ok(job) => Ok(job.samples()?),
            Err(unknown) => Err(match self.shared_job(id).await? {
                Some(_) => JobError::NoSamples {
                    id: id.to_owned(),
                    reason: "is of another service, or of this one before it was restarted",
                },
                None => unknown,
            }
            .into()),
        }
    }

    /// The same state, behind a guard.
    #[must_use]
    pub fn with_guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// The same state, whose image files are signed.
    #[must_use]
    pub fn with_credentials(self, credentials: ContentCredentials) -> Self {
        let credentials = Some(Arc::new(credentials));
        Self { credentials, ..self }
    }

    /// The metadata of the images that `model` makes for a request.
    pub(crate) fn metadata(&self, model: &Model, record: RequestRecord) -> ImageMetadata {
        ImageMetadata::new(model, record).signed(self.credentials.clone())
    }

    /// The same service behind a proxy that offers it below a path.
    #[must_use]
    pub fn below(self, base_path: BasePath) -> Self {
        Self { base_path, ..self }
    }

    /// The model with the name `name`, or the default model. The line of the request in the log names it.
    ///
    /// # Errors
    /// As [`Models::get`].
    pub(crate) fn model(&self, name: Option<&str>) -> Result<Arc<Model>, EditorError> {
        let model = self.models.get(name)?;
        note_model(model.name());
        Ok(model)
    }

    /// The jobs that requests start. The program ends them when it ends.
    #[must_use]
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    /// Decodes a body above 64 KiB on a blocking thread, one at a time.
    pub(crate) async fn decode_large<T: Send + 'static>(
        &self,
        decode: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = Arc::clone(&self.large_bodies).acquire_owned().await;
        let permit = permit.expect("nobody closes the semaphore");
        let decoded = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            decode()
        });
        decoded.await.expect("decoding does not panic")
    }

    /// Refuses a number of faces that is 0 or above the limit.
    pub(crate) fn check_count(&self, field: &str, count: usize) -> Result<(), Problem> {
        if (1..=self.limits.max_images as usize).contains(&count) {
            return Ok(());
        }
        let reason = format!(
            "found {count}, expected 1 to {} faces in one response, or pictures=none for more",
            self.limits.max_images
        );
        Err(Problem::field(field, reason))
    }
}
