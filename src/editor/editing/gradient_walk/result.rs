//! The result of a walk along a gradient.

use std::collections::BTreeMap;

use crate::editor::HeldScore;

/// A walk along the gradient of a score. Scores are probabilities if the classifier gives logits or probabilities, otherwise values.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// The attribute.
    pub attribute: String,
    /// The score before the edit.
    pub before: f64,
    /// The score at the end of the walk.
    pub after: f64,
    /// The target score, if there is one.
    pub target: Option<f64>,
    /// The length to walk, if there is no target score.
    pub asked_length: Option<f64>,
    /// The length of the path, below 0 against the gradient. Corrections of the held scores do not count.
    pub length: f64,
    /// Why the walk ended.
    pub end: WalkEnd,
    /// Steps taken.
    pub steps: usize,
    /// Gradients computed, one for each score at each point.
    pub gradients: usize,
    /// The least share of the gradient that the held scores and boundaries left.
    pub retained: f64,
    /// The scores of the conditions.
    pub held: BTreeMap<String, HeldScore>,
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// The score is reached, and the conditions are held.
    ScoreReached,
    /// The length is walked.
    LengthWalked,
    /// The path is as long as a path to a score may be.
    LongestPath,
    /// The walk has as many points as it may have.
    MostPoints,
    /// The score has no gradient here.
    NoGradient,
    /// The gradients of the held scores and the normals of the held boundaries leave nothing of the score's own.
    NothingLeft,
}

impl WalkEnd {
    /// Whether the walk did what it should.
    #[must_use]
    pub fn is_reached(self) -> bool {
        matches!(self, Self::ScoreReached | Self::LengthWalked)
    }
}

impl std::fmt::Display for WalkEnd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::ScoreReached => "the score is reached",
            Self::LengthWalked => "the length is walked",
            Self::LongestPath => "the path has the greatest length allowed",
            Self::MostPoints => "the path has the most points allowed",
            Self::NoGradient => "the score does not change with the code here",
            Self::NothingLeft => "every direction that changes the score changes a held score, or the distance from a held boundary, too",
        })
    }
}
