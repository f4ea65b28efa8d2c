//! A walk: small steps that change a score, each orthogonal to the gradients of the held scores and to their boundaries' normals.

use std::ops::Range;

use ndarray::Array2;

use crate::catalog::OutputKind;
use crate::editor::EditorError;
use crate::editor::editing::gradient_walk::planes::Planes;
use crate::editor::editing::gradient_walk::result::{Walk, WalkEnd};
use crate::editor::editing::gradient_walk::slopes::{Slopes, slopes};
use crate::editor::editing::score_search::scored_attribute::ScoredAttribute;
use crate::editor::rendering::renderer::Renderer;
use crate::engine::EngineError;
use crate::latent::{GradientStep, LatentCode, gradient_step};

/// The longest step, in the space's units of distance. Measured on the phantom: half of it needs twice the points and holds no better.
const LONGEST_STEP: f64 = 0.5;
/// The shortest of the longest steps.
const SHORTEST_STEP: f64 = LONGEST_STEP / 8.0;
/// The longest path to a score, in the space's units of distance. Paths of the bundled models have 1 to 10.
const LONGEST_PATH: f64 = 20.0;
/// Most points of a walk. A point takes one gradient for each score. Walks to near scores need 15; with 64, walks by 9 logits did not end.
const MOST_POINTS: usize = 160;
/// How near a held logit is kept on the way.
const KEPT: f64 = 0.1;
/// How near a held value is kept on the way: its change over this distance along its own gradient.
const KEPT_DISTANCE: f64 = 0.04;
/// A drift is taken back to this share of what is kept. Corrections follow the classifier, which may be misled, so they are small.
const LEFT: f64 = 0.75;
/// How much farther than on the way a held score may be at the end, to count as held.
const HELD: f64 = 2.0;
/// A drift that is larger than this, in units of what is kept, and grows, makes the steps shorter.
const ROUGH_DRIFT: f64 = 2.0;
/// Most corrections at a point where the walk ends.
const MOST_CORRECTIONS: usize = 4;
/// The least share of the gradient that counts as a direction. Less than this is mostly the error of the held gradients.
const LEAST_RETAINED: f64 = 0.01;
/// The share that a step takes back of the part of the way that serves no score any more. On the phantom it halves what the planes'
/// errors change.
const TAKEN_BACK: f64 = 0.5;
/// Lengths this near to each other are equal.
const SAME_LENGTH: f64 = 1e-9;

/// A code on the way.
#[derive(Clone)]
struct Point {
    code: LatentCode,
    slopes: Slopes,
    /// The length of the path to it.
    length: f64,
}

/// What a walk walks to.
#[derive(Clone, Copy)]
enum Goal {
    /// A length of the path, below 0 against the gradient.
    Length(f64),
    /// A score on its linear scale, and how near it must come.
    Score(f64, f64),
}

/// A walk in progress.
#[derive(Clone)]
pub(crate) struct Walker<'a> {
    /// The edited attribute, and then the held ones.
    attributes: &'a [ScoredAttribute],
    /// The rows of the code that move.
    rows: Range<usize>,
    planes: Planes,
    /// The code before the edit.
    start: Array2<f64>,
    /// How far each score may be off.
    kept: Vec<f64>,
    /// The scores before the edit, on their linear scale, and the places along the planes' normals.
    before: Vec<f64>,
    point: Point,
    longest_step: f64,
    steps: usize,
    points: usize,
    retained: f64,
}

impl<'a> Walker<'a> {
    /// A walk from `code` that moves some of its rows.
    ///
    /// # Errors
    /// [`EditorError`] if a network fails.
    pub(crate) async fn new(
        renderer: &mut Renderer<'_>,
        code: &LatentCode,
        rows: Range<usize>,
        attributes: &'a [ScoredAttribute],
    ) -> Result<Self, EditorError> {
        let columns: Vec<usize> = attributes.iter().map(|one| one.column).collect();
        let planes = Planes::new(renderer.model(), attributes, code.space());
        let mut found = slopes(renderer, code, &columns, &planes.normals).await?;
        mask(&mut found, &rows);
        let kept = |(one, gradient): (&ScoredAttribute, &Array2<f64>)| match one.kind {
            OutputKind::Logit | OutputKind::Probability => KEPT,
            OutputKind::Value => (KEPT_DISTANCE * length_of(gradient)).max(1e-9),
        };
        Ok(Self {
            kept: attributes.iter().zip(&found.gradients).map(kept).collect(),
            attributes,
            planes,
            start: code.values().mapv(f64::from),
            rows,
            before: found.values.clone(),
            point: Point {
                code: code.clone(),
                slopes: found,
                length: 0.0,
            },
            longest_step: LONGEST_STEP,
            steps: 0,
            points: 1,
            retained: 1.0,
        })
    }

    /// The code where the walk is.
    pub(crate) fn code(&self) -> &LatentCode {
        &self.point.code
    }

    /// Walks on until the path has this length.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision, or a network fails.
    pub(crate) async fn walk_length(
        &mut self,
        renderer: &mut Renderer<'_>,
        length: f64,
    ) -> Result<WalkEnd, EditorError> {
        self.walk(renderer, Goal::Length(length)).await
    }

    /// Walks on until the edited attribute has the score `target`, in the unit of requests.
    ///
    /// # Errors
    /// As [`walk_length`](Self::walk_length).
    pub(crate) async fn walk_score(
        &mut self,
        renderer: &mut Renderer<'_>,
        target: f64,
    ) -> Result<WalkEnd, EditorError> {
        let (target, near) = self.attributes[0].goal(target, self.before[0]);
        self.walk(renderer, Goal::Score(target, near)).await
    }

    async fn walk(&mut self, renderer: &mut Renderer<'_>, goal: Goal) -> Result<WalkEnd, EditorError> {
        let mut corrections = 0;
        let (off, drift) = self.misses(goal);
        let mut best = (off + drift, self.point.clone());
        loop {
            let is_there = self.is_there(goal);
            if is_there && (self.worst_drift() <= 1.0 || corrections == MOST_CORRECTIONS) {
                return Ok(match goal {
                    Goal::Length(_) => WalkEnd::LengthWalked,
                    Goal::Score(..) => WalkEnd::ScoreReached,
                });
            }
            corrections += usize::from(is_there);
            let step = self.step();
            self.retained = self.retained.min(step.retained);
            if let Some(end) = self.dead_end(goal, &step) {
                return Ok(self.give_up(goal, best.1, end));
            }
            let (distance, before) = (self.distance(goal, &step), self.misses(goal));
            let taken_back = match goal {
                // Afterwards it would cause new drifts.
                Goal::Score(..) if corrections == 0 => TAKEN_BACK,
                _ => 0.0,
            };
            match self.advance(renderer, &step, distance, taken_back).await {
                // There may be codes where a derivative does not exist: a shorter step may miss them.
                Err(EditorError::Engine(EngineError::NotFinite { .. })) => {
                    if self.longest_step <= SHORTEST_STEP {
                        return Ok(self.give_up(goal, best.1, WalkEnd::NoGradient));
                    }
                    self.longest_step = (self.longest_step / 2.0).max(SHORTEST_STEP);
                    continue;
                }
                advanced => advanced?,
            }
            let now = self.misses(goal);
            // The scores of a network are rough: a step that misses may still lead on, but the next ones are shorter.
            self.longest_step = if now.0 > before.0 || now.1 > before.1.max(ROUGH_DRIFT) {
                (self.longest_step / 2.0).max(SHORTEST_STEP)
            } else {
                (1.5 * self.longest_step).min(LONGEST_STEP)
            };
            if now.0 + now.1 < best.0 {
                best = (now.0 + now.1, self.point.clone());
            }
        }
    }

    /// Ends a walk that does not reach its goal: at the nearest point, if the goal is a score.
    fn give_up(&mut self, goal: Goal, nearest: Point, end: WalkEnd) -> WalkEnd {
        if matches!(goal, Goal::Score(..)) {
            self.point = nearest;
        }
        end
    }

    /// How far the edited score is from its goal, and the worst drift of a held score, both in units of what they may be off.
    fn misses(&self, goal: Goal) -> (f64, f64) {
        let off = match goal {
            Goal::Length(_) => 0.0,
            Goal::Score(target, near) => (target - self.point.slopes.values[0]).abs() / near,
        };
        (off, self.worst_drift())
    }

    /// Whether the goal is reached, except for drifts of held scores.
    fn is_there(&self, goal: Goal) -> bool {
        match goal {
            Goal::Length(length) => (length - self.point.length).abs() <= SAME_LENGTH,
            Goal::Score(target, near) => (target - self.point.slopes.values[0]).abs() <= near,
        }
    }

    /// How far the scores and the places along the normals are from where they were.
    fn drifts(&self) -> Vec<f64> {
        let values = self.point.slopes.values.iter().zip(&self.before);
        values.map(|(now, before)| now - before).collect()
    }

    /// The largest drift of a held score, in units of what it may drift.
    fn worst_drift(&self) -> f64 {
        let drifts = self.drifts().into_iter().zip(&self.kept).skip(1);
        drifts.map(|(drift, kept)| drift.abs() / kept).fold(0.0, f64::max)
    }

    fn step(&self) -> GradientStep {
        let gradients = &self.point.slopes.gradients;
        let normal = self.attributes.len();
        let has_normal = self.planes.has_edited;
        let is_held = |index: &usize| *index != 0 && !(has_normal && *index == normal);
        let mut drifts = self.drifts();
        for (drift, kept) in drifts.iter_mut().zip(&self.kept) {
            *drift -= drift.clamp(-LEFT * kept, LEFT * kept);
        }
        let (held, residuals): (Vec<_>, Vec<_>) = (0..gradients.len())
            .filter(is_held)
            .map(|index| (gradients[index].clone(), drifts[index]))
            .unzip();
        let normal = has_normal.then(|| &gradients[normal]);
        gradient_step(&gradients[0], normal, &held, &residuals)
    }

    /// Why the walk cannot go on, if so.
    fn dead_end(&self, goal: Goal, step: &GradientStep) -> Option<WalkEnd> {
        if self.points >= MOST_POINTS {
            return Some(WalkEnd::MostPoints);
        }
        if self.is_there(goal) {
            return None;
        }
        if length_of(&self.point.slopes.gradients[0]) < 1e-6 {
            return Some(WalkEnd::NoGradient);
        }
        if step.retained < LEAST_RETAINED {
            return Some(WalkEnd::NothingLeft);
        }
        let is_score = matches!(goal, Goal::Score(..));
        (is_score && self.point.length.abs() >= LONGEST_PATH).then_some(WalkEnd::LongestPath)
    }

    /// How far to go along the direction.
    fn distance(&self, goal: Goal, step: &GradientStep) -> f64 {
        // Only drifts are corrected where nothing is left of the gradient.
        if step.retained < LEAST_RETAINED {
            return 0.0;
        }
        let wanted = match goal {
            Goal::Length(length) => length - self.point.length,
            // The correction changes the score too.
            Goal::Score(target, _) => {
                let missing = target - self.point.slopes.values[0] - step.side_effect;
                missing / (step.slope * self.unit())
            }
        };
        wanted.clamp(-self.longest_step, self.longest_step)
    }

    /// The length of one unit of distance: in w+, each of the rows moves by 1.
    #[expect(clippy::cast_precision_loss, reason = "a code has a few rows")]
    fn unit(&self) -> f64 {
        (self.rows.len() as f64).sqrt()
    }

    /// Takes a step, corrects the drifts, and takes back a share of the way so far that serves nothing any more.
    async fn advance(
        &mut self,
        renderer: &mut Renderer<'_>,
        step: &GradientStep,
        distance: f64,
        taken_back: f64,
    ) -> Result<(), EditorError> {
        let code = &self.point.code;
        let mut values = code.values().mapv(f64::from);
        // Moves that are right to first order only are as long as a step at most.
        let longest = self.longest_step * self.unit();
        let idle = taken_back * step.idle_part(&(&values - &self.start));
        values.scaled_add(-share_within(longest / 2.0, &idle), &idle);
        values.scaled_add(distance * self.unit(), &step.direction);
        values.scaled_add(share_within(longest, &step.correction), &step.correction);
        let moved = LatentCode::rounded(code.space(), &values)?.with_label(code.label().cloned());
        let columns: Vec<usize> = self.attributes.iter().map(|one| one.column).collect();
        let mut found = slopes(renderer, &moved, &columns, &self.planes.normals).await?;
        mask(&mut found, &self.rows);
        self.point = Point {
            code: moved,
            slopes: found,
            length: self.point.length + distance,
        };
        self.steps += 1;
        self.points += 1;
        Ok(())
    }

    /// What the response says about the walk.
    pub(crate) fn result(&self, end: WalkEnd, target: Option<f64>, asked_length: Option<f64>) -> Walk {
        let own = &self.attributes[0];
        let (before, after) = (&self.before, &self.point.slopes.values);
        let held = self.attributes.iter().enumerate().skip(1);
        let held = held.map(|(index, one)| {
            let most = HELD * self.kept[index];
            (
                one.attribute.clone(),
                one.held_score(before[index], after[index], most),
            )
        });
        Walk {
            attribute: own.attribute.clone(),
            before: own.in_request_unit(before[0]),
            after: own.in_request_unit(after[0]),
            target,
            asked_length,
            length: self.point.length,
            end,
            steps: self.steps,
            gradients: self.points * self.attributes.len(),
            retained: self.retained,
            held: held.collect(),
        }
    }
}

/// The share of a move that is at most this long.
fn share_within(longest: f64, moved: &Array2<f64>) -> f64 {
    let length = length_of(moved);
    if length > longest { longest / length } else { 1.0 }
}

/// Makes the gradients 0 on rows that do not move.
fn mask(slopes: &mut Slopes, rows: &Range<usize>) {
    for gradient in &mut slopes.gradients {
        for (row, mut values) in gradient.rows_mut().into_iter().enumerate() {
            if !rows.contains(&row) {
                values.fill(0.0);
            }
        }
    }
}

fn length_of(values: &Array2<f64>) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}
