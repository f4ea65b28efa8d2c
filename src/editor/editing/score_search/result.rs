//! The result of a score search.

use std::collections::BTreeMap;

/// The result of a score search. Scores are probabilities if the classifier gives logits or probabilities, otherwise
/// values.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreSearchResult {
    /// The attribute.
    pub attribute: String,
    /// The target score.
    pub target: f64,
    /// The score before the edit.
    pub before: f64,
    /// The score after the edit.
    pub after: f64,
    /// Whether the score after the edit is near enough to the target: within 0.02 of a probability, or within 2 % of the
    /// way to a value.
    pub reached: bool,
    /// How far the code was moved along the direction of each attribute, in signed distance.
    pub amounts: BTreeMap<String, f64>,
    /// The scores of the conditions.
    pub held: BTreeMap<String, HeldScore>,
    /// Batches of candidates that were synthesized and scored, one after another.
    pub rounds: usize,
    /// Images in these batches.
    pub images: usize,
}

/// The score of a held attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldScore {
    /// Before the edit.
    pub before: f64,
    /// After the edit.
    pub after: f64,
    /// Whether it stayed near enough: within 0.05 of a probability, or within the change of a value over 0.1 of distance
    /// along the attribute's own boundary, or over 0.08 along its own gradient.
    pub held: bool,
}
