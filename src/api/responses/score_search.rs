//! The result of a search for a score, in the response to an edit.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::editor;
use crate::editor::HeldScore;

/// The result of a search for a score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScoreSearchResult {
    /// The attribute.
    attribute: String,
    /// The requested score.
    target: f64,
    /// The score before the edit, in the unit of the target: for a logit, its sigmoid.
    before: f64,
    /// The score after the edit.
    after: f64,
    /// Whether the score after the edit is near enough to the target: within 0.02 for a probability, within 2 % of the
    /// requested change for a value.
    reached: bool,
    /// The distance by which the code was moved along the direction of each attribute. The conditions move too, to
    /// correct their scores.
    moved: BTreeMap<String, f64>,
    /// The score of each condition.
    conditions: BTreeMap<String, ConditionScore>,
    /// Batches of faces that were synthesized and scored, one after the other.
    batches: usize,
    /// Images in these batches.
    images: usize,
}

/// The score of a condition before and after an edit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConditionScore {
    /// The score before the edit.
    before: f64,
    /// The score after the edit.
    after: f64,
    /// Whether the score was held: within 0.05 for a probability; for a value, within the change of a move by 0.1 along
    /// the condition's own boundary, or by 0.08 along its own gradient.
    held: bool,
}

impl From<HeldScore> for ConditionScore {
    fn from(score: HeldScore) -> Self {
        let HeldScore { before, after, held } = score;
        Self { before, after, held }
    }
}

impl From<editor::ScoreSearchResult> for ScoreSearchResult {
    fn from(result: editor::ScoreSearchResult) -> Self {
        let condition = |(attribute, score): (String, HeldScore)| (attribute, score.into());
        Self {
            attribute: result.attribute,
            target: result.target,
            before: result.before,
            after: result.after,
            reached: result.reached,
            moved: result.amounts,
            conditions: result.held.into_iter().map(condition).collect(),
            batches: result.rounds,
            images: result.images,
        }
    }
}
