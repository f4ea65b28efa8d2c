//! Jobs in JSON responses.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::responses::boundary::{BoundarySummary, Storage};
use crate::api::state::Api;
use crate::api::types::space::Space;
use crate::editor::{self, Comparison, ComparisonReason, JobProgress};

/// A part of the jobs: those that wait or run, and the latest ones that ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The jobs of this page, the newest first.
    #[schema(value_type = Vec<Job>)]
    pub(crate) jobs: Vec<Value>,
    /// Send it as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A job: a training, a search for directions, or a report.
#[derive(Serialize, ToSchema)]
pub(crate) struct Job {
    /// The id of the job, as in its path.
    #[schema(example = "1")]
    id: String,
    /// The service that runs the job: its machine and its port; absent if it shares no store with others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "faceplane-0:8080")]
    service: Option<String>,
    /// The name of the model.
    #[schema(example = "phantom")]
    model: String,
    /// The attributes of the boundaries.
    attributes: Vec<String>,
    /// The space of the boundaries.
    space: Space,
    /// The status of the job.
    status: JobStatus,
    /// The number of codes to score, or the most if the samples are `auto`; for directions, of codes to sample; for a report, of images to
    /// synthesize.
    samples: usize,
    /// The number of them that are done.
    samples_done: usize,
    /// How many of them are done per second; absent until it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    samples_per_second: Option<f64>,
    /// The time until all of them are done, in seconds; absent unless they are in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<f64>,
    /// The attribute to which a boundary is being fitted; absent unless one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    fitting: Option<String>,
    /// The share of this fit that is done, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    fitting_progress: Option<f64>,
    /// The path of the report; absent until it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/jobs/1/report")]
    report: Option<String>,
    /// The path of the sampled codes and their scores; absent unless the job has them now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/jobs/1/samples")]
    samples_file: Option<String>,
    /// The new boundaries that the model has got so far; empty if the model was dropped.
    boundaries: Vec<BoundarySummary>,
    /// How new boundaries compare with those that the model has; absent unless `keep` is `better`.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparisons: Option<Vec<BoundaryComparison>>,
    /// Where these boundaries are stored.
    storage: Storage,
    /// The reason of a failure; absent unless the status is `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// Which of two boundaries the model keeps, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct BoundaryComparison {
    /// The attribute.
    attribute: String,
    /// The boundary that the model has now.
    kept: KeptBoundary,
    /// Why it is kept.
    #[schema(example = "the new one is clearly better")]
    reason: &'static str,
    /// The number of samples that were held out from the new fit, and by which both are judged.
    samples: usize,
    /// The share of pairs of these samples, one on either side of the threshold, that the distance from the new boundary puts in order (AUC),
    /// 0 to 1; absent with fewer than ten on a side.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<f64>,
    /// The same for the current boundary.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<f64>,
}

/// A new boundary, or the one that the model had before.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeptBoundary {
    /// The new one.
    New,
    /// The one that the model had before.
    Current,
}

impl From<Comparison> for BoundaryComparison {
    fn from(comparison: Comparison) -> Self {
        Self {
            kept: if comparison.keeps_new() {
                KeptBoundary::New
            } else {
                KeptBoundary::Current
            },
            reason: match comparison.reason {
                ComparisonReason::NoCurrent => "the model had none",
                ComparisonReason::NewIsBetter => "the new one is clearly better",
                ComparisonReason::NewIsNotBetter => "the new one is not clearly better",
                ComparisonReason::SameSamples => {
                    "the current one was fitted to the samples by which it would be judged; choose another seed"
                }
            },
            attribute: comparison.attribute,
            samples: comparison.samples,
            new: comparison.new,
            current: comparison.current,
        }
    }
}

/// The status of a job.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobStatus {
    /// It waits for earlier jobs.
    Queued,
    /// Codes are sampled, and faces scored.
    Sampling,
    /// Boundaries are fitted.
    Fitting,
    /// The model has all boundaries, or the report is done.
    Done,
    /// It ended with an error.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl From<editor::JobStatus> for JobStatus {
    fn from(status: editor::JobStatus) -> Self {
        match status {
            editor::JobStatus::Queued => Self::Queued,
            editor::JobStatus::Sampling => Self::Sampling,
            editor::JobStatus::Fitting => Self::Fitting,
            editor::JobStatus::Done => Self::Done,
            editor::JobStatus::Failed => Self::Failed,
            editor::JobStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl Job {
    /// `job` of the service with `progress`.
    pub(crate) fn new(api: &Api, job: &editor::Job, progress: JobProgress) -> Self {
        let link = |part| api.base_path.link(&format!("/v1/jobs/{}/{part}", job.id()));
        // The model may have been dropped since.
        let model = api.models.get(Some(job.model())).ok();
        let summary = |boundary| Some(BoundarySummary::new(boundary, model.as_ref()?.boundaries()));
        let left = job.sample_count().saturating_sub(progress.samples_done);
        #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
        let seconds_left = progress.samples_per_second.map(|rate| left as f64 / rate);
        let sampling = progress.status == editor::JobStatus::Sampling;
        let fitting = progress.fitting.map(|fit| (fit.attribute, fit.share));
        let (fitting, fitting_progress) = fitting.unzip();
        let has_report = progress.report.is_some();
        Self {
            id: job.id().to_owned(),
            service: api.shared_jobs.as_ref().map(|shared| shared.service.to_string()),
            model: job.model().to_owned(),
            attributes: job.attributes().to_vec(),
            space: job.space().into(),
            status: progress.status.into(),
            samples: job.sample_count(),
            samples_done: progress.samples_done,
            samples_per_second: progress.samples_per_second,
            seconds_left: seconds_left.filter(|_| sampling),
            fitting,
            fitting_progress,
            report: has_report.then(|| link("report")),
            samples_file: job.samples().is_ok().then(|| link("samples")),
            comparisons: (!progress.comparisons.is_empty())
                .then(|| progress.comparisons.into_iter().map(Into::into).collect()),
            boundaries: progress.boundaries.iter().filter_map(summary).collect(),
            storage: Storage::of(&api.models),
            failure: progress.failure,
        }
    }
}
