//! `POST /v1/models/{model}/boundaries`: trains boundaries, as a job.

use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::answers;
use crate::api::openapi::problems::{BodyProblems, StartProblems};
use crate::api::problem::Problem;
use crate::api::request_body::{LargeBody, Name};
use crate::api::routes::jobs::started;
use crate::api::state::Api;
use crate::api::types::values::{Space, check_length};
use crate::catalog::NpyArray;
use crate::editor::{LabelledCodes, LabelledCodesError, TrainRequest, TrainSource};
use crate::latent::{FitMethod, LatentSpace, SampleSelection, Separation};

/// Samples where a request names no number.
const SAMPLES: u32 = 10_000;

/// Which boundaries to find, and how: from sampled faces that the model's classifiers score, or from `codes` and
/// `scores` of the caller's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(
    json!({"attributes": ["smile", "age"], "space": "w", "samples": 2000, "ratio": 0.1, "seed": 2020}),
))]
pub(crate) struct TrainBody {
    /// The attributes, each of which gets a boundary; exactly one where `scores` are given.
    #[schema(min_items = 1, max_items = 64)]
    attributes: Vec<String>,
    /// The space of the boundaries; the model's default space if left out. Sampled codes are in z or w.
    #[serde(default)]
    space: Option<Space>,
    /// How many faces to sample; 10,000 if left out. Their codes take at most 1 GiB.
    #[serde(default)]
    #[schema(minimum = 4)]
    samples: Option<u32>,
    /// How many at each end of the scores the plane is fitted to and checked with; at most half of all.
    #[serde(default)]
    #[schema(minimum = 1)]
    chosen: Option<usize>,
    /// The same as a share of all; 0.02 if neither is given.
    #[serde(default)]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    ratio: Option<f64>,
    /// The share of those that the plane is fitted to, the others being held out; 0.7 if left out.
    #[serde(default)]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    split: Option<f64>,
    /// Seed of the samples and of the split; 0 if left out.
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// A score that marks samples to leave out.
    #[serde(default)]
    invalid_score: Option<f64>,
    /// What finds the plane; the support vector machine if left out.
    #[serde(default)]
    method: Option<FitMethodName>,
    /// A `.npy` file in base64: codes of shape (samples, dim), in w+ (samples, layers, dim).
    #[serde(default)]
    #[schema(content_encoding = "base64")]
    codes: Option<String>,
    /// A `.npy` file in base64: a score for each of the codes, of shape (samples) or (samples, 1).
    #[serde(default)]
    #[schema(content_encoding = "base64")]
    scores: Option<String>,
}

/// What finds a plane.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FitMethod)]
pub(crate) enum FitMethodName {
    /// A linear support vector machine on the ends of the scores, as the paper has it.
    Svm,
    /// Least squares of the scores on all codes.
    LeastSquares,
}

impl TrainBody {
    fn request(self, default: LatentSpace) -> Result<TrainRequest, Problem> {
        let space = self.space.map_or(default, Into::into);
        if self.attributes.is_empty() {
            return Err(Problem::field("attributes", "found none, expected at least one"));
        }
        check_length("attributes", self.attributes.len())?;
        let twice = |(place, name): (usize, &String)| self.attributes[..place].contains(name);
        if self.attributes.iter().enumerate().any(twice) {
            return Err(Problem::field(
                "attributes",
                "found one twice, expected each once",
            ));
        }
        let usual = Separation::default();
        let chosen = match (self.chosen, self.ratio) {
            (Some(_), Some(_)) => {
                return Err(Problem::field(
                    "chosen",
                    "found a ratio beside it, expected one of the two",
                ));
            }
            (Some(0), None) => return Err(Problem::field("chosen", "found 0, expected at least 1")),
            (Some(count), None) => SampleSelection::Count(count),
            (None, Some(ratio)) => SampleSelection::Ratio(ratio),
            (None, None) => usual.chosen,
        };
        let seed = self.seed.unwrap_or(0);
        let source = match (&self.codes, &self.scores) {
            (Some(codes), Some(scores)) => {
                if self.samples.is_some() {
                    return Err(Problem::field(
                        "samples",
                        "found codes beside it, which are the samples",
                    ));
                }
                if self.attributes.len() > 1 {
                    return Err(Problem::field(
                        "attributes",
                        "found several beside scores, which are one's",
                    ));
                }
                given(space, codes, scores)?
            }
            (None, None) => TrainSource::Sampled {
                samples: match self.samples.unwrap_or(SAMPLES) {
                    few @ 0..4 => {
                        return Err(Problem::field(
                            "samples",
                            format!("found {few}, expected at least 4"),
                        ));
                    }
                    samples => samples as usize,
                },
                seed,
            },
            (Some(_), None) => return Err(Problem::field("scores", "found codes without them")),
            (None, Some(_)) => return Err(Problem::field("codes", "found scores without them")),
        };
        Ok(TrainRequest {
            space,
            source,
            separation: Separation {
                method: match self.method.unwrap_or(FitMethodName::Svm) {
                    FitMethodName::Svm => FitMethod::Svm,
                    FitMethodName::LeastSquares => FitMethod::LeastSquares,
                },
                chosen,
                split: self.split.unwrap_or(usual.split),
                seed,
                invalid_score: self.invalid_score,
                ..usual
            },
            attributes: self.attributes,
        })
    }
}

/// The caller's codes and scores.
fn given(space: LatentSpace, codes: &str, scores: &str) -> Result<TrainSource, Problem> {
    let read = |field: &str, text: &str| {
        let wrong = |reason: String| Problem::field(field, reason);
        let file = STANDARD
            .decode(text)
            .map_err(|error| wrong(format!("not base64: {error}")))?;
        NpyArray::read(&file).map_err(|error| wrong(error.to_string()))
    };
    let (codes, scores) = (read("codes", codes)?, read("scores", scores)?);
    let given = LabelledCodes::new(space, codes, scores).map_err(|error| {
        let field = match &error {
            LabelledCodesError::Codes { .. } => "codes",
            LabelledCodesError::Scores { .. } => "scores",
        };
        Problem::field(field, error.to_string())
    })?;
    Ok(TrainSource::Labelled(given))
}

/// Train boundaries
///
/// Starts a job that samples and scores faces in the background, and fits a boundary between the faces with the highest
/// and the lowest scores of each attribute, as the paper does. With `codes` and `scores`, it fits the boundary to them.
/// When the job is done, the model has the boundaries.
#[utoipa::path(
    post, path = "/v1/models/{model}/boundaries", tag = "boundaries", operation_id = "train_boundaries",
    params(("model" = String, Path, description = "The name of the model.", example = "phantom")),
    request_body = TrainBody,
    responses(
        (status = 202, description = "The job was started.", body = answers::job::Job, headers(("Location" = String, description = "The path of the job."))),
        StartProblems, BodyProblems,
    )
)]
pub(crate) async fn post(
    State(api): State<Api>,
    Name(name): Name,
    LargeBody(body): LargeBody<TrainBody>,
) -> Result<Response, Problem> {
    let model = api.models.get(Some(&name))?;
    let space = model.default_space();
    // Codes and scores may be tens of megabytes.
    let request = tokio::task::spawn_blocking(move || body.request(space)).await;
    let request = request.expect("reading codes does not panic")?;
    let job = api.jobs.train(&api.models, model, request)?;
    Ok(started(&api, &job))
}
