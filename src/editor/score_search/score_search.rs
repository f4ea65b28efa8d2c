//! Aiming: a face is moved until its classifier gives the score that was asked for, and held attributes are held by
//! their classifiers' word.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::Array2;

use crate::catalog::ScoreKind;
use crate::editor::edit::Path;
use crate::editor::score_search::scored_attribute::{ScoredAttribute, logit};
use crate::editor::{EditRequest, EditorError, Model, Warning};
use crate::engine::Admission;
use crate::latent::{
    Amount, Boundary, Edit, LatentCode, LatentError, LineSearch, Truncation, apply, condition, correction,
};

/// How near the score must come to the one asked for, as a probability.
const NEAR: f64 = 0.02;
/// The same for a value, as a share of the way to it.
const NEAR_SHARE: f64 = 0.02;
/// How near a held logit must stay: its probability then stays within 0.05.
const HELD: f64 = 0.2;
/// The same for a held value: what this distance along its own boundary changes.
const HELD_DISTANCE: f64 = 0.1;
/// Rounds of the search along the line, and of corrections after it.
const LINE_ROUNDS: usize = 8;
const CORRECTIONS: usize = 6;
/// How far a code is moved to see a slope.
const PROBE: f64 = 0.25;

/// What a search for a score came to.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreSearchResult {
    /// The attribute.
    pub attribute: String,
    /// The score asked for: a probability where the classifier gives logits or probabilities, a value otherwise.
    pub wanted: f64,
    /// The same before the edit.
    pub before: f64,
    /// The same after it.
    pub found: f64,
    /// Whether that is near enough: 0.02 for probabilities, 2 % of the way for values.
    pub reached: bool,
    /// How far the code was moved along each attribute's direction.
    pub moved: BTreeMap<String, f64>,
    /// Each held attribute's score before and after, in the unit of `wanted`, and whether it was held.
    pub held: BTreeMap<String, (f64, f64, bool)>,
    /// Batches of candidates that were drawn and scored one after the other.
    pub rounds: usize,
    /// Pictures in them.
    pub pictures: usize,
}

impl ScoreSearchResult {
    /// What the caller should know of it.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let missed = (!self.reached).then(|| Warning::Missed {
            attribute: self.attribute.clone(),
            wanted: self.wanted,
            found: self.found,
        });
        let moved = self
            .held
            .iter()
            .filter(|(_, held)| !held.2)
            .map(|(attribute, held)| Warning::NotHeld {
                attribute: attribute.clone(),
                before: held.0,
                after: held.1,
            });
        missed.into_iter().chain(moved).collect()
    }
}

/// What is under way.
struct Search<'a> {
    model: &'a Model,
    request: &'a EditRequest,
    truncation: Option<Truncation>,
    start: &'a LatentCode,
    watched: Vec<ScoredAttribute>,
    /// Places of those that have a direction.
    movable: Vec<usize>,
    rounds: usize,
    pictures: usize,
}

impl Model {
    /// Moves `start` until the one step's attribute has its score.
    pub(crate) async fn aim(
        &self,
        admission: &mut Admission,
        request: &EditRequest,
        paths: &[Path],
        start: &LatentCode,
        truncation: Option<Truncation>,
    ) -> Result<(LatentCode, ScoreSearchResult), EditorError> {
        let ([step], [path]) = (&request.steps[..], paths) else {
            return Err(EditorError::AimsAlone);
        };
        let wanted = step.score.ok_or_else(|| EditorError::NoAmount {
            attribute: step.attribute.clone(),
        })?;
        let watched = self.watched(request, path, start)?;
        let sure = watched[0].kind == ScoreKind::Value || (wanted > 0.0 && wanted < 1.0);
        if !sure || !wanted.is_finite() {
            return Err(EditorError::NoScore {
                attribute: step.attribute.clone(),
                found: wanted,
            });
        }
        let movable = (0..watched.len()).filter(|&place| watched[place].direction.is_some());
        let mut search = Search {
            model: self,
            request,
            truncation,
            start,
            movable: movable.collect(),
            watched,
            rounds: 0,
            pictures: 0,
        };
        search.run(admission, wanted).await
    }

    /// The attribute that is moved, and those that are held, each once.
    fn watched(
        &self,
        request: &EditRequest,
        path: &Path,
        start: &LatentCode,
    ) -> Result<Vec<ScoredAttribute>, EditorError> {
        let watched = |attribute: &str, direction| {
            let column = self.column(attribute)?;
            Ok::<_, EditorError>(ScoredAttribute {
                attribute: attribute.to_owned(),
                column,
                kind: self.outputs()[column].kind,
                direction,
            })
        };
        let own = (Arc::clone(&path.boundary), path.direction.clone());
        let mut all = vec![watched(&request.steps[0].attribute, Some(own))?];
        let mut names: Vec<&str> = Vec::new();
        for name in request.conditions.as_deref().unwrap_or_default() {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let found = self.boundaries_of(
            &[&[request.steps[0].attribute.as_str()], &names[..]].concat(),
            start.space(),
        )?;
        for (place, name) in names.iter().enumerate() {
            let others: Vec<&Boundary> = found
                .iter()
                .enumerate()
                .filter(|&(other, _)| other != place + 1)
                .map(|(_, boundary)| &**boundary)
                .collect();
            // What lies in the others' span is corrected by them, or not at all.
            let direction = match condition(&found[place + 1], &others) {
                Ok(conditioned) => Some((Arc::clone(&found[place + 1]), conditioned.direction)),
                Err(LatentError::Spanned { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            all.push(watched(name, direction)?);
        }
        Ok(all)
    }
}

impl Search<'_> {
    async fn run(
        &mut self,
        admission: &mut Admission,
        wanted: f64,
    ) -> Result<(LatentCode, ScoreSearchResult), EditorError> {
        let zero = vec![0.0; self.movable.len()];
        let before = self
            .measure(admission, std::slice::from_ref(&zero))
            .await?
            .swap_remove(0);
        let mut targets = before.clone();
        let near = if self.watched[0].kind == ScoreKind::Value {
            targets[0] = wanted;
            (NEAR_SHARE * (wanted - before[0]).abs()).max(f64::EPSILON)
        } else {
            targets[0] = logit(wanted);
            (NEAR / (wanted * (1.0 - wanted))).min(0.5)
        };

        let mut line = LineSearch::new(targets[0], before[0]);
        let (mut moved, mut scores) = (zero.clone(), before.clone());
        for _ in 0..LINE_ROUNDS {
            let places = line.next();
            if (scores[0] - targets[0]).abs() <= near || places.is_empty() {
                break;
            }
            let at = |place: f64| {
                let mut amounts = zero.clone();
                amounts[0] = place;
                amounts
            };
            let candidates: Vec<_> = places.iter().map(|&place| at(place)).collect();
            let found = self.measure(admission, &candidates).await?;
            line.take(&places, &found.iter().map(|scores| scores[0]).collect::<Vec<_>>());
            for (candidate, found) in candidates.into_iter().zip(found) {
                if (found[0] - targets[0]).abs() < (scores[0] - targets[0]).abs() {
                    (moved, scores) = (candidate, found);
                }
            }
        }
        let mut tolerances = vec![near];
        if self.watched.len() > 1 {
            tolerances = self
                .correct(admission, &targets, near, &mut moved, &mut scores)
                .await?;
        }
        let code = self.code(&moved)?;
        Ok((code, self.aimed(wanted, &before, &scores, &moved, &tolerances)))
    }

    /// Corrections along all directions together, by the slopes that the scores have where the code is; the tolerances.
    async fn correct(
        &mut self,
        admission: &mut Admission,
        targets: &[f64],
        near: f64,
        moved: &mut Vec<f64>,
        scores: &mut Vec<f64>,
    ) -> Result<Vec<f64>, EditorError> {
        let mut tolerances = Vec::new();
        let mut damping = 1e-3;
        for _ in 0..CORRECTIONS {
            let probes: Vec<Vec<f64>> = (0..moved.len())
                .map(|place| {
                    let mut probe = moved.clone();
                    probe[place] += PROBE;
                    probe
                })
                .collect();
            let seen = self.measure(admission, &probes).await?;
            let slope =
                |(measured, place): (usize, usize)| (seen[place][measured] - scores[measured]) / PROBE;
            if tolerances.is_empty() {
                tolerances = self.tolerances(near, slope);
            }
            let off = |scores: &[f64]| -> Vec<f64> {
                let parts = scores.iter().zip(targets).zip(&tolerances);
                parts
                    .map(|((score, target), tolerance)| (score - target) / tolerance)
                    .collect()
            };
            let residuals = off(scores);
            if residuals.iter().all(|residual| residual.abs() <= 1.0) {
                break;
            }
            let slopes = Array2::from_shape_fn((scores.len(), moved.len()), |(measured, place)| {
                slope((measured, place)) / tolerances[measured]
            });
            let Some(step) = correction(slopes.view(), &residuals, damping) else {
                break;
            };
            let along = |share: f64| -> Vec<f64> {
                let parts = moved.iter().zip(&step);
                parts.map(|(amount, part)| amount + share * part).collect()
            };
            let candidates = [along(1.0), along(0.5), along(0.2)];
            let found = self.measure(admission, &candidates).await?;
            let badness = |scores: &[f64]| off(scores).iter().map(|part| part * part).sum::<f64>();
            let now = badness(scores);
            let best = (0..candidates.len())
                .filter(|&place| badness(&found[place]) < now)
                .min_by(|&one, &other| badness(&found[one]).total_cmp(&badness(&found[other])));
            match best {
                Some(best) => {
                    moved.clone_from(&candidates[best]);
                    scores.clone_from(&found[best]);
                    damping = f64::max(damping / 4.0, 1e-6);
                }
                None => damping *= 30.0,
            }
        }
        Ok(tolerances)
    }

    /// How far each watched score may be off; `slope` tells how a score changes along a direction.
    fn tolerances(&self, near: f64, slope: impl Fn((usize, usize)) -> f64) -> Vec<f64> {
        let held = |place: usize| match self.watched[place].kind {
            ScoreKind::Logit | ScoreKind::Probability => HELD,
            ScoreKind::Value => {
                let own = self.movable.iter().position(|&movable| movable == place);
                let change = own.map_or(0.0, |own| slope((place, own)).abs() * HELD_DISTANCE);
                change.max(1e-6)
            }
        };
        std::iter::once(near)
            .chain((1..self.watched.len()).map(held))
            .collect()
    }

    /// The watched scores of codes moved by `amounts`, straightened.
    async fn measure(
        &mut self,
        admission: &mut Admission,
        amounts: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, EditorError> {
        let codes = amounts.iter().map(|amounts| self.code(amounts));
        let codes: Vec<LatentCode> = codes.collect::<Result<_, _>>()?;
        let mut measured = Vec::with_capacity(codes.len());
        let input = self
            .model
            .synthesis_input(admission, &codes, self.truncation)
            .await?;
        let mut drawing = admission.draw(input, |images| images);
        while let Some(images) = drawing.next(admission).await {
            let scores = admission.score(&images?).await?;
            for row in scores.outer_iter() {
                let straight = |watched: &ScoredAttribute| watched.straight(row[watched.column].into());
                measured.push(self.watched.iter().map(straight).collect());
            }
        }
        self.rounds += 1;
        self.pictures += codes.len();
        Ok(measured)
    }

    fn code(&self, amounts: &[f64]) -> Result<LatentCode, EditorError> {
        let directions = self
            .movable
            .iter()
            .filter_map(|&place| self.watched[place].direction.as_ref());
        let edit = |((boundary, direction), amount): (&(Arc<Boundary>, _), &f64)| {
            let direction: &crate::latent::Direction = direction;
            Edit::new(Arc::clone(boundary), direction.clone(), Amount::By(*amount))
        };
        let edits: Vec<Edit> = directions.zip(amounts).map(edit).collect::<Result<_, _>>()?;
        Ok(apply(self.start, &edits, self.request.layers)?)
    }

    fn aimed(
        &self,
        wanted: f64,
        before: &[f64],
        after: &[f64],
        moved: &[f64],
        tolerances: &[f64],
    ) -> ScoreSearchResult {
        let within = |place: usize, target: f64| (after[place] - target).abs() <= tolerances[place];
        let held = (1..self.watched.len()).map(|place| {
            let watched = &self.watched[place];
            let (was, is) = (watched.said(before[place]), watched.said(after[place]));
            // A probability near 0 or 1 may stay while its logit moves.
            let still = watched.kind != ScoreKind::Value && (was - is).abs() <= HELD / 4.0;
            (
                watched.attribute.clone(),
                (was, is, still || within(place, before[place])),
            )
        });
        let own = &self.watched[0];
        let target = if own.kind == ScoreKind::Value {
            wanted
        } else {
            logit(wanted)
        };
        let names = self
            .movable
            .iter()
            .map(|&place| self.watched[place].attribute.clone());
        ScoreSearchResult {
            attribute: own.attribute.clone(),
            wanted,
            before: own.said(before[0]),
            found: own.said(after[0]),
            reached: within(0, target),
            moved: names.zip(moved.iter().copied()).collect(),
            held: held.collect(),
            rounds: self.rounds,
            pictures: self.pictures,
        }
    }
}
