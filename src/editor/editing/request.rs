//! The request to edit a face, and the checks that do not need the face.

use crate::editor::rendering::latent_source::LARGEST_MAGNITUDE;
use crate::editor::{EditorError, FaceSource, TruncationChoice};
use crate::latent::{Amount, LatentSpace, LayerRange, Trajectory, Unit};

/// A face and its edits.
#[derive(Clone, Debug)]
pub struct EditRequest {
    /// The source of the face.
    pub source: FaceSource,
    /// The space of the edits. If `None`: a code's own space; for a seed w+ if the request or an edit names layers, otherwise
    /// the model's default space.
    pub space: Option<LatentSpace>,
    /// The truncation of a code that is mapped.
    pub truncation: TruncationChoice,
    /// The edits, all applied together. Without any, the face stays as it is.
    pub steps: Vec<EditStep>,
    /// What the code moves along.
    pub along: Along,
    /// The unit of the steps' amounts and of the series' positions.
    pub unit: Unit,
    /// Attributes to hold; empty for the plain edit.
    pub conditions: Vec<String>,
    /// The layers of a w+ code to move, for steps that name none; `None` for all.
    pub layers: Option<LayerRange>,
    /// A series of faces instead of one.
    pub series: Option<Series>,
    /// Whether the face before the edit is rendered too, and all faces are scored.
    pub with_comparison: bool,
}

/// What a code moves along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Along {
    /// The normals of boundaries.
    #[default]
    Normal,
    /// The gradient of the attribute's score.
    Gradient,
}

/// The edit of one attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct EditStep {
    /// The attribute.
    pub attribute: String,
    /// How far to move, in the request's unit. `None` follows the series, or searches for `score`.
    pub amount: Option<Amount>,
    /// The target score: a probability between 0 and 1 if the classifier gives logits or probabilities, otherwise a
    /// value.
    pub score: Option<f64>,
    /// The layers of a w+ code to move, if not those of the request.
    pub layers: Option<LayerRange>,
}

/// A trajectory, and what its positions mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The positions.
    pub trajectory: Trajectory,
    /// What the positions mean.
    pub kind: PositionKind,
}

impl Series {
    /// The amount to move for each position.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = Amount> {
        let kind = self.kind;
        let positions = self.trajectory.positions().into_iter();
        positions.map(move |position| match kind {
            PositionKind::By => Amount::By(position),
            PositionKind::To => Amount::To(position),
        })
    }
}

/// Whether a trajectory's positions are relative or absolute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionKind {
    /// A position is an amount to move by: 0 is the original face.
    #[default]
    By,
    /// A position is a signed distance to move to: 0 is on the boundary.
    To,
}

impl EditRequest {
    /// What the code moves along. Without an edit it does not move, so there is no gradient to follow.
    pub(crate) fn moves_along(&self) -> Along {
        if self.steps.is_empty() {
            Along::Normal
        } else {
            self.along
        }
    }

    /// Whether an edit has a target score.
    pub(crate) fn has_target_score(&self) -> bool {
        self.steps.iter().any(|step| step.score.is_some())
    }

    /// The layers of a w+ code that `step` moves; `None` for all.
    pub(crate) fn layers_of(&self, step: &EditStep) -> Option<LayerRange> {
        step.layers.or(self.layers)
    }

    /// Whether an edit moves some layers of a w+ code.
    pub(crate) fn has_layers(&self) -> bool {
        self.steps.iter().any(|step| self.layers_of(step).is_some())
    }

    /// What the steps without an amount of their own move by, for each face.
    pub(crate) fn positions(&self) -> Vec<Option<Amount>> {
        match &self.series {
            Some(series) => series.amounts().map(Some).collect(),
            None => vec![None],
        }
    }

    /// Images that the request returns.
    #[must_use]
    pub fn images(&self) -> usize {
        let series = self.series.as_ref();
        let after = series.map_or(1, |series| series.trajectory.steps() as usize);
        after + usize::from(self.with_comparison)
    }

    /// Checks what only a gradient requires.
    fn check_gradient(&self) -> Result<(), EditorError> {
        let refuse = |found, expected| Err(EditorError::UnfitForGradient { found, expected });
        if self.steps.len() > 1 {
            return refuse(
                "several edits",
                "one; send the code of its response with the next edit",
            );
        }
        let is_to = matches!(self.steps[0].amount, Some(Amount::To(_)));
        let series_is_to = |series: &Series| series.kind == PositionKind::To;
        if is_to || self.series.as_ref().is_some_and(series_is_to) {
            return refuse(
                "a distance to move to",
                "\"by\", the length of the path, or \"to_score\", because a gradient has no boundary that distances are measured from",
            );
        }
        if self.unit != Unit::Distance {
            return refuse(
                "another unit than distance",
                "none, because a gradient has no boundary",
            );
        }
        Ok(())
    }

    /// Checks that the request says how far to move each attribute, and that each amount is in range.
    pub(crate) fn check(&self) -> Result<(), EditorError> {
        if self.has_target_score() && (self.steps.len() > 1 || self.series.is_some()) {
            return Err(EditorError::ScoreNotAlone);
        }
        if self.moves_along() == Along::Gradient {
            self.check_gradient()?;
        }
        if self.series.is_some() && self.steps.iter().all(|step| step.amount.is_some()) {
            return Err(EditorError::UnusedTrajectory);
        }
        for step in &self.steps {
            if let Some(Amount::By(amount) | Amount::To(amount)) = step.amount {
                check_magnitude(|| format!("the amount of {:?}", step.attribute), amount)?;
            }
        }
        if let Some(Series { trajectory, .. }) = &self.series {
            check_magnitude(|| "the trajectory's start".to_owned(), trajectory.start())?;
            check_magnitude(|| "the trajectory's end".to_owned(), trajectory.end())?;
        }
        Ok(())
    }
}

fn check_magnitude(what: impl Fn() -> String, found: f64) -> Result<(), EditorError> {
    if found.abs() <= LARGEST_MAGNITUDE {
        return Ok(());
    }
    Err(EditorError::OutOfRange {
        what: what(),
        found,
        limit: LARGEST_MAGNITUDE,
    })
}
