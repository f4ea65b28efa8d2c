//! A walk along the gradient of a score, in the response to an edit.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::responses::score_search::ConditionScore;
use crate::api::types::choice::choice;
use crate::editor;

choice! {
    /// Why a walk ended.
    pub(crate) enum WalkEnd {
        /// The score is reached.
        ScoreReached = "score_reached",
        /// The length is walked.
        LengthWalked = "length_walked",
        /// The path to the score is as long as it may be.
        LongestPath = "longest_path",
        /// The walk has as many points as it may have.
        MostPoints = "most_points",
        /// The score does not change with the code.
        NoGradient = "no_gradient",
        /// Every direction that changes the score changes a held score, or the distance from a held boundary, too.
        NothingLeft = "nothing_left",
    }
}

/// A walk along the gradient of a score. Scores are probabilities if the classifier gives logits or probabilities, values otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Walk {
    /// The attribute.
    attribute: String,
    /// The score before the edit.
    before: f64,
    /// The score at the end of the walk.
    after: f64,
    /// The requested score; absent without `to_score`.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<f64>,
    /// Whether the score was reached, or the length walked.
    reached: bool,
    /// Why the walk ended.
    end: WalkEnd,
    /// The length of the path in the space's unit of distance, below 0 against the gradient. Corrections of the held scores do not
    /// count.
    length: f64,
    /// Steps taken.
    steps: usize,
    /// Gradients computed: one for each score at each point.
    gradients: usize,
    /// The least share of the gradient's length that the held scores and boundaries left on the way, 0 to 1.
    retained: f64,
    /// The score of each condition.
    conditions: BTreeMap<String, ConditionScore>,
}

impl From<editor::Walk> for Walk {
    fn from(walk: editor::Walk) -> Self {
        let condition = |(attribute, score): (String, editor::HeldScore)| (attribute, score.into());
        Self {
            attribute: walk.attribute,
            before: walk.before,
            after: walk.after,
            target: walk.target,
            reached: walk.end.is_reached(),
            end: match walk.end {
                editor::WalkEnd::ScoreReached => WalkEnd::ScoreReached,
                editor::WalkEnd::LengthWalked => WalkEnd::LengthWalked,
                editor::WalkEnd::LongestPath => WalkEnd::LongestPath,
                editor::WalkEnd::MostPoints => WalkEnd::MostPoints,
                editor::WalkEnd::NoGradient => WalkEnd::NoGradient,
                editor::WalkEnd::NothingLeft => WalkEnd::NothingLeft,
            },
            length: walk.length,
            steps: walk.steps,
            gradients: walk.gradients,
            retained: walk.retained,
            conditions: walk.held.into_iter().map(condition).collect(),
        }
    }
}
