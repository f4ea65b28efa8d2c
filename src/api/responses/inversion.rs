//! An inversion in the background, in JSON.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::background_inversions::InversionState;
use crate::api::problem_document::ProblemDocument;
use crate::api::responses::invert::{InversionProgress, InvertResponse};

/// An inversion in the background.
#[derive(Serialize, ToSchema)]
pub(crate) struct Inversion {
    /// The id of the inversion, as in its path.
    #[schema(example = "0f4e1f0c4a5d4b0d9a3d6ef0c1b2a394")]
    id: String,
    /// The status of the inversion.
    status: InversionStatus,
    /// The latest step; absent before the first one, and after the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<InversionProgress>,
    /// The code and its reconstruction; absent unless the status is `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<InvertResponse>)]
    result: Option<Box<RawValue>>,
    /// Why it failed; absent unless the status is `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemDocument>,
}

/// The status of an inversion.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InversionStatus {
    /// The code is searched.
    Running,
    /// The code is found.
    Done,
    /// It ended with an error.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl Inversion {
    pub(crate) fn new(id: &str, state: &InversionState) -> Self {
        let mut inversion = Self {
            id: id.to_owned(),
            status: InversionStatus::Cancelled,
            progress: None,
            result: None,
            problem: None,
        };
        match state {
            InversionState::Running(progress) => {
                inversion.status = InversionStatus::Running;
                inversion.progress = progress.as_deref().cloned();
            }
            InversionState::Done(response) => {
                inversion.status = InversionStatus::Done;
                let result = RawValue::from_string(response.text());
                inversion.result = Some(result.expect("the response is JSON"));
            }
            InversionState::Failed(problem) => {
                inversion.status = InversionStatus::Failed;
                inversion.problem = Some(ProblemDocument::clone(problem));
            }
            InversionState::Cancelled => {}
        }
        inversion
    }
}
