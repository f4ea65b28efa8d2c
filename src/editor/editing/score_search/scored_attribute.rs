//! An attribute with a score that counts in a search, and the scale on which its scores are compared.

use crate::catalog::OutputKind;
use crate::editor::editing::edit_path::EditPath;
use crate::editor::editing::request::EditRequest;
use crate::editor::editing::score_search::result::HeldScore;
use crate::editor::{EditorError, Model};
use crate::latent::{Boundary, LatentError, LatentSpace, condition_on};

/// Logits beyond this magnitude count as equal, because the classifier is saturated.
const SATURATED: f64 = 14.0;
/// How near the score must come to a target probability.
const NEAR: f64 = 0.02;
/// How near the score must come to a target value, as a share of the way to it.
const NEAR_SHARE: f64 = 0.02;
/// How near a held probability must stay.
const HELD_PROBABILITY: f64 = 0.05;

/// An attribute with a score that counts: the edited one, or a held one.
pub(crate) struct ScoredAttribute {
    pub(crate) attribute: String,
    /// The column of its score.
    pub(crate) column: usize,
    pub(crate) kind: OutputKind,
    /// The path that changes it without changing the others; `None` if its normal is in the span of theirs.
    pub(crate) path: Option<EditPath>,
}

impl ScoredAttribute {
    /// An attribute that moves along `path`, if it moves.
    ///
    /// # Errors
    /// [`EditorError::NotScored`] if no classifier scores it.
    pub(crate) fn new(model: &Model, attribute: &str, path: Option<EditPath>) -> Result<Self, EditorError> {
        let column = model.classifiers().column(attribute)?;
        Ok(Self {
            attribute: attribute.to_owned(),
            column,
            kind: model.outputs()[column].kind,
            path,
        })
    }

    /// Checks that the classifier can give the score `target`.
    pub(crate) fn check_target(&self, target: Option<f64>) -> Result<(), EditorError> {
        let found = target.ok_or_else(|| EditorError::NoAmount {
            attribute: self.attribute.clone(),
        })?;
        let is_possible = self.kind == OutputKind::Value || (found > 0.0 && found < 1.0);
        if is_possible && found.is_finite() {
            return Ok(());
        }
        Err(EditorError::InvalidScore {
            attribute: self.attribute.clone(),
            found,
        })
    }

    /// A score on the linear scale.
    pub(crate) fn linear(&self, score: f64) -> f64 {
        linear(self.kind, score)
    }

    /// A target score on the linear scale, and how near a score must come to it, for a face with the linear score `before`.
    pub(crate) fn goal(&self, target: f64, before: f64) -> (f64, f64) {
        match self.kind {
            OutputKind::Value => (target, (NEAR_SHARE * (target - before).abs()).max(f64::EPSILON)),
            OutputKind::Logit | OutputKind::Probability => {
                (logit(target), (NEAR / (target * (1.0 - target))).min(0.5))
            }
        }
    }

    /// A held score, from its linear scores before and after an edit, which may be `most` apart.
    pub(crate) fn held_score(&self, before: f64, after: f64, most: f64) -> HeldScore {
        let (was, is) = (self.in_request_unit(before), self.in_request_unit(after));
        // A probability near 0 or 1 may stay although its logit changes.
        let stays = self.kind != OutputKind::Value && (was - is).abs() <= HELD_PROBABILITY;
        HeldScore {
            before: was,
            after: is,
            held: stays || (after - before).abs() <= most,
        }
    }

    /// A score on the linear scale, in the unit of requests: a probability, or the value itself.
    pub(crate) fn in_request_unit(&self, linear: f64) -> f64 {
        match self.kind {
            OutputKind::Value => linear,
            OutputKind::Logit | OutputKind::Probability => 1.0 / (1.0 + (-linear).exp()),
        }
    }
}

/// A score on the scale where it changes about linearly along a boundary: a logit, or the value itself.
pub(crate) fn linear(kind: OutputKind, score: f64) -> f64 {
    match kind {
        OutputKind::Value => score,
        OutputKind::Logit => score.clamp(-SATURATED, SATURATED),
        OutputKind::Probability => logit(score),
    }
}

/// The logit of a probability, limited to where the classifier is saturated.
pub(crate) fn logit(probability: f64) -> f64 {
    let logit = (probability / (1.0 - probability)).ln();
    logit.clamp(-SATURATED, SATURATED)
}

/// The edited attribute of `request`, which moves along `path`, and then each held attribute once, for a code in `space`.
///
/// # Errors
/// [`EditorError`] if an attribute has no classifier, or no boundary for this space, or its classifier cannot give the target score.
pub(crate) fn scored_attributes(
    model: &Model,
    request: &EditRequest,
    path: &EditPath,
    space: LatentSpace,
) -> Result<Vec<ScoredAttribute>, EditorError> {
    let mut names = vec![request.steps[0].attribute.as_str()];
    for name in &request.conditions {
        if !names[1..].contains(&name.as_str()) {
            names.push(name);
        }
    }
    let boundaries = model.boundaries().of_attributes(&names, space)?;
    let edited = ScoredAttribute::new(model, names[0], Some(path.clone()))?;
    edited.check_target(request.steps[0].score)?;
    let mut scored = vec![edited];
    for (index, name) in names.iter().enumerate().skip(1) {
        let others = boundaries.iter().enumerate().filter(|&(other, _)| other != index);
        let others: Vec<&Boundary> = others.map(|(_, boundary)| &**boundary).collect();
        // An attribute in the span of the others is corrected through them, or not at all.
        let own = match condition_on(&boundaries[index], &others, path.layers) {
            Ok(conditioned) => Some(EditPath {
                boundary: boundaries[index].clone(),
                direction: conditioned.direction,
                layers: path.layers,
            }),
            Err(LatentError::DependentPrimal { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        scored.push(ScoredAttribute::new(model, name, own)?);
    }
    Ok(scored)
}
