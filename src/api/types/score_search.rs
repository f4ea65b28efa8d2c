//! What an answer says of a search for a score.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::editor::{HeldScore, ScoreSearchResult};

/// What a search for a score came to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AimBody {
    /// The attribute.
    attribute: String,
    /// The score asked for.
    wanted: f64,
    /// The score before, in the same unit: the sigmoid of a classifier's logit.
    before: f64,
    /// The score after.
    found: f64,
    /// Whether that is near enough: within 0.02 of a probability, or 2 % of the way to a value.
    reached: bool,
    /// How far the code was moved along each attribute's direction: the one that was aimed for, and corrections of those
    /// that are held, each along what the others' boundaries leave of its own.
    moved: BTreeMap<String, f64>,
    /// The scores of the conditions.
    held: BTreeMap<String, HeldBody>,
    /// Batches that were drawn and scored one after the other.
    rounds: usize,
    /// Pictures in them.
    pictures: usize,
}

/// A held attribute's score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldBody {
    /// Before the edit.
    before: f64,
    /// After it.
    after: f64,
    /// Whether it is near enough to what it was: within 0.05 of a probability, or what a tenth of a unit of distance along
    /// its own boundary changes of a value.
    held: bool,
}

impl From<ScoreSearchResult> for AimBody {
    fn from(aimed: ScoreSearchResult) -> Self {
        let held = |(attribute, score)| {
            let HeldScore { before, after, held } = score;
            (attribute, HeldBody { before, after, held })
        };
        Self {
            attribute: aimed.attribute,
            wanted: aimed.target,
            before: aimed.before,
            found: aimed.after,
            reached: aimed.reached,
            moved: aimed.amounts,
            held: aimed.held.into_iter().map(held).collect(),
            rounds: aimed.rounds,
            pictures: aimed.images,
        }
    }
}
