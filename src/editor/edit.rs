//! Editing: a face is moved along its attributes' boundaries, or along what conditions leave of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::editor::codes::FARTHEST;
use crate::editor::judging::identity::similarities;
use crate::editor::render::RenderOutputs;
use crate::editor::{EditorError, Face, FaceSource, Model, ScoreSearchResult, TruncationChoice, Warning};
use crate::engine::Timings;
use crate::latent::{
    Amount, Boundary, Conditioned, Direction, Edit, LatentCode, LatentSpace, LayerRange, Trajectory, apply,
    condition,
};

/// What to edit, and how.
#[derive(Clone, Debug)]
pub struct EditRequest {
    /// The face.
    pub source: FaceSource,
    /// The space of the move; a code's own, or the model's default for a seed, where it is `None`.
    pub space: Option<LatentSpace>,
    /// Truncation of what is mapped.
    pub truncation: TruncationChoice,
    /// The moves, all made together.
    pub steps: Vec<EditStep>,
    /// Attributes to hold: `None` for the plain edit.
    pub conditions: Option<Vec<String>>,
    /// The layers of a w+ code that move; all where it is `None`.
    pub layers: Option<LayerRange>,
    /// Several pictures instead of one.
    pub series: Option<Series>,
    /// Whether the face before the edit is drawn too, and all are scored.
    pub with_comparison: bool,
}

/// One attribute's move.
#[derive(Clone, Debug, PartialEq)]
pub struct EditStep {
    /// The attribute.
    pub attribute: String,
    /// How far; `None` follows the series, or goes as far as `score` takes.
    pub amount: Option<Amount>,
    /// The score to aim for: a probability between 0 and 1 where the classifier gives logits or probabilities, a value
    /// otherwise.
    pub score: Option<f64>,
}

/// A trajectory, and what its positions are.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The positions.
    pub trajectory: Trajectory,
    /// What they are.
    pub follow: PositionKind,
}

/// Whether a trajectory's positions are relative or absolute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionKind {
    /// Each is an amount to move by, so 0 is the face as it was.
    #[default]
    By,
    /// Each is a signed distance to move to, so 0 is on the plane.
    To,
}

impl PositionKind {
    fn amount(self, position: f64) -> Amount {
        match self {
            Self::By => Amount::By(position),
            Self::To => Amount::To(position),
        }
    }
}

/// A face that was edited.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The seed that the face was sampled with, if it was.
    pub seed: Option<u32>,
    /// The face before, where a comparison was asked for.
    pub before: Option<Face>,
    /// How alike each face's person is to the one before, −1 to 1; empty without an identity graph or a comparison.
    pub similarities: Vec<f64>,
    /// The positions of the trajectory, one a face; empty without one.
    pub positions: Vec<f64>,
    /// The faces after: one, or one for each position.
    pub faces: Vec<Face>,
    /// What the code was moved along, one for each step.
    pub steering: Vec<EditDirection>,
    /// What a search for a score came to, where one was asked for.
    pub aimed: Option<ScoreSearchResult>,
    /// What the caller should know.
    pub warnings: Vec<Warning>,
    /// Where the time went.
    pub timings: Timings,
}

/// The direction of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct EditDirection {
    /// The attribute.
    pub attribute: String,
    /// The space of its boundary.
    pub space: LatentSpace,
    /// How much of the normal was left after projection: the sine of its angle to the conditions' span; 1 without any.
    pub retained: f64,
    /// The direction's cosine to each condition: 0 but for rounding.
    pub cosines: BTreeMap<String, f64>,
}

impl EditRequest {
    fn aims(&self) -> bool {
        self.steps.iter().any(|step| step.score.is_some())
    }
}

impl Model {
    /// Refuses what no face makes right: an edit that does not say what to do, or an attribute without any boundary. [`Model::edit`]
    /// does too, but its face may take long to find.
    ///
    /// # Errors
    /// [`EditorError`].
    pub fn check_edit(&self, request: &EditRequest) -> Result<(), EditorError> {
        check_amounts(request)?;
        let edited = request.steps.iter().map(|step| &step.attribute);
        for attribute in edited.chain(request.conditions.iter().flatten()) {
            if self.boundaries().iter().all(|one| one.attribute() != attribute) {
                self.boundary(attribute, request.space.unwrap_or(self.default_space()))?;
            }
        }
        Ok(())
    }

    /// Edits a face.
    ///
    /// # Errors
    /// [`EditorError`] for attributes, spaces and amounts that do not fit the model, conditions that leave nothing of
    /// the primal, and networks that fail.
    pub async fn edit(&self, request: &EditRequest) -> Result<Edited, EditorError> {
        check_amounts(request)?;
        let truncation = self.truncation(request.truncation)?;
        let space = request.space.or_else(|| {
            let sampled = matches!(request.source, FaceSource::Seed(_));
            (sampled && request.layers.is_some()).then_some(LatentSpace::WPlus)
        });
        let after = request
            .series
            .as_ref()
            .map_or(1, |series| series.trajectory.steps() as usize);
        let mut admission = self.engine.admit(after + usize::from(request.with_comparison))?;
        let start = self
            .codes(
                &mut admission,
                std::slice::from_ref(&request.source),
                space,
                request.truncation,
            )
            .await?
            .swap_remove(0);
        let paths = self.paths(request, start.space())?;

        let positions = request
            .series
            .as_ref()
            .map_or_else(Vec::new, |series| series.trajectory.positions());
        let mut codes = Vec::with_capacity(1 + positions.len().max(1));
        if request.with_comparison {
            codes.push(start.clone());
        }
        let mut aimed = None;
        if request.aims() {
            let aim = self.aim(&mut admission, request, &paths, &start, truncation);
            let (code, found) = aim.await?;
            codes.push(code);
            aimed = Some(found);
        } else if let Some(series) = &request.series {
            for &position in &positions {
                codes.push(moved(
                    &start,
                    &paths,
                    request,
                    Some(series.follow.amount(position)),
                )?);
            }
        } else {
            codes.push(moved(&start, &paths, request, None)?);
        }
        let scrutiny = if request.with_comparison {
            RenderOutputs::Identity
        } else {
            RenderOutputs::Nothing
        };
        let mut faces = self.render(&mut admission, codes, truncation, scrutiny).await?;
        let before = request.with_comparison.then(|| faces.remove(0));
        let similarities = before
            .as_ref()
            .map_or_else(Vec::new, |before| similarities(before, &faces));

        let seed = if let FaceSource::Seed(seed) = request.source {
            Some(seed)
        } else {
            None
        };
        let mut warnings: Vec<Warning> = request
            .steps
            .iter()
            .filter_map(|step| Warning::of_distance(&step.attribute, &faces))
            .collect();
        warnings.extend(aimed.iter().flat_map(ScoreSearchResult::warnings));
        let steering = paths.into_iter().map(|path| path.steering).collect();
        Ok(Edited {
            seed,
            before,
            similarities,
            positions,
            faces,
            steering,
            aimed,
            warnings,
            timings: admission.timings(),
        })
    }

    /// What each step moves along.
    fn paths(&self, request: &EditRequest, space: LatentSpace) -> Result<Vec<Path>, EditorError> {
        let held = request.conditions.as_deref().unwrap_or_default();
        let named: Vec<&str> = request
            .steps
            .iter()
            .map(|step| &step.attribute)
            .chain(held)
            .map(String::as_str)
            .collect();
        let boundaries = self.boundaries_of(&named, space)?;
        let (primals, conditions) = boundaries.split_at(request.steps.len());
        let conditions: Vec<&Boundary> = conditions.iter().map(|boundary| &**boundary).collect();
        primals
            .iter()
            .map(|primal| Path::new(primal, held, &conditions))
            .collect()
    }
}

/// A boundary that measures, and a direction that moves.
pub(crate) struct Path {
    pub(crate) boundary: Arc<Boundary>,
    pub(crate) direction: Direction,
    steering: EditDirection,
}

impl Path {
    fn new(primal: &Arc<Boundary>, held: &[String], conditions: &[&Boundary]) -> Result<Self, EditorError> {
        let Conditioned {
            direction,
            retained,
            cosines,
        } = condition(primal, conditions)?;
        let (attribute, space) = (primal.attribute().to_owned(), primal.space());
        let steering = EditDirection {
            attribute,
            space,
            retained,
            cosines: held.iter().cloned().zip(cosines).collect(),
        };
        Ok(Self {
            boundary: Arc::clone(primal),
            direction,
            steering,
        })
    }
}

/// The code after all steps; those without an amount of their own take `follow`.
fn moved(
    start: &LatentCode,
    paths: &[Path],
    request: &EditRequest,
    follow: Option<Amount>,
) -> Result<LatentCode, EditorError> {
    let edit = |(path, step): (&Path, &EditStep)| {
        let amount = step.amount.or(follow).ok_or_else(|| EditorError::NoAmount {
            attribute: step.attribute.clone(),
        })?;
        Ok(Edit::new(
            Arc::clone(&path.boundary),
            path.direction.clone(),
            amount,
        )?)
    };
    let edits: Vec<Edit> = paths
        .iter()
        .zip(&request.steps)
        .map(edit)
        .collect::<Result<_, EditorError>>()?;
    Ok(apply(start, &edits, request.layers)?)
}

/// Refuses a request that does not say what to do, or that asks for the moon.
fn check_amounts(request: &EditRequest) -> Result<(), EditorError> {
    if request.steps.is_empty() {
        return Err(EditorError::NoEdits);
    }
    if request.aims() && (request.steps.len() > 1 || request.series.is_some()) {
        return Err(EditorError::AimsAlone);
    }
    if request.conditions.as_ref().is_some_and(Vec::is_empty) {
        return Err(EditorError::NoConditions);
    }
    if request.series.is_some() && request.steps.iter().all(|step| step.amount.is_some()) {
        return Err(EditorError::NothingFollows);
    }
    let within = |what: &dyn Fn() -> String, found: f64| {
        if found.abs() <= FARTHEST {
            return Ok(());
        }
        Err(EditorError::OutOfRange {
            what: what(),
            found,
            limit: FARTHEST,
        })
    };
    for step in &request.steps {
        if let Some(Amount::By(amount) | Amount::To(amount)) = step.amount {
            within(&|| format!("the amount of {:?}", step.attribute), amount)?;
        }
    }
    if let Some(Series { trajectory, .. }) = &request.series {
        within(&|| "the trajectory's start".to_owned(), trajectory.start())?;
        within(&|| "the trajectory's end".to_owned(), trajectory.end())?;
    }
    Ok(())
}
