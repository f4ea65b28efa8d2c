//! The search itself: first along the edit's direction, then corrections that hold the scores of the conditions.

use ndarray::Array2;

use crate::catalog::OutputKind;
use crate::editor::EditorError;
use crate::editor::editing::edit_path::PlannedEdit;
use crate::editor::editing::request::EditRequest;
use crate::editor::editing::score_search::result::ScoreSearchResult;
use crate::editor::editing::score_search::scored_attribute::{ScoredAttribute, scored_attributes};
use crate::editor::rendering::renderer::Renderer;
use crate::latent::{Amount, Edit, LatentCode, RootSearch, apply, damped_least_squares_step};

/// How near a held logit must stay. Its probability then stays within 0.05.
const HELD: f64 = 0.2;
/// How near a held value must stay: its change over this distance along its own boundary.
const HELD_DISTANCE: f64 = 0.1;
/// Most rounds of the search along the direction.
const LINE_ROUNDS: usize = 8;
/// Most rounds of corrections after it. Each measures a probe for each direction, and then three candidates.
const CORRECTION_ROUNDS: usize = 6;
/// Shares of a correction that are measured.
const CORRECTION_SHARES: [f64; 3] = [1.0, 0.5, 0.2];
/// Most images in progress or waiting at the same time, for which the request needs permits: those of the first round along
/// the direction. Larger rounds are split. A search that holds three scores synthesizes up to eighty images in all.
pub(crate) const ROUND_IMAGES: usize = 8;
/// How far a code is moved to measure a gradient.
const PROBE: f64 = 0.25;

/// A search in progress.
pub(crate) struct ScoreSearch<'r, 'm> {
    renderer: &'r mut Renderer<'m>,
    original: &'r LatentCode,
    /// The target score, in the unit of requests.
    target: f64,
    /// The edited attribute, and then the held ones.
    attributes: Vec<ScoredAttribute>,
    /// Indices of the attributes that have a path; amounts are in their order.
    movable: Vec<usize>,
    rounds: usize,
    images: usize,
}

/// Where the search is: the amounts to move by, and the scores there on their linear scale.
#[derive(Clone)]
struct Candidate {
    amounts: Vec<f64>,
    scores: Vec<f64>,
}

impl<'r, 'm> ScoreSearch<'r, 'm> {
    /// A search for the target score of the only edit in `request`.
    ///
    /// # Errors
    /// [`EditorError`] if the request does not have exactly one edit with a target score, the classifier cannot give that
    /// score, or an attribute has no classifier.
    pub(crate) fn new(
        renderer: &'r mut Renderer<'m>,
        request: &EditRequest,
        edits: &[PlannedEdit],
        original: &'r LatentCode,
    ) -> Result<Self, EditorError> {
        let ([step], [edit]) = (&request.steps[..], edits) else {
            return Err(EditorError::ScoreNotAlone);
        };
        let target = step.score.ok_or_else(|| EditorError::NoAmount {
            attribute: step.attribute.clone(),
        })?;
        let attributes = scored_attributes(renderer.model(), request, &edit.path, original.space())?;
        let movable = (0..attributes.len()).filter(|&index| attributes[index].path.is_some());
        Ok(Self {
            renderer,
            original,
            target,
            movable: movable.collect(),
            attributes,
            rounds: 0,
            images: 0,
        })
    }

    /// Runs the search: the code that came nearest to the target, and how near it is.
    ///
    /// # Errors
    /// [`EditorError`] if a code leaves the range of single precision, or a network fails.
    pub(crate) async fn run(mut self) -> Result<(LatentCode, ScoreSearchResult), EditorError> {
        let origin = vec![vec![0.0; self.movable.len()]];
        let before = self.measure(origin).await?.swap_remove(0);
        let mut targets = before.scores.clone();
        let (target, near) = self.attributes[0].goal(self.target, before.scores[0]);
        targets[0] = target;
        let mut best = self.search_along(targets[0], near, &before).await?;
        let tolerances = if self.attributes.len() > 1 {
            self.correct(&targets, near, &mut best).await?
        } else {
            vec![near]
        };
        let code = self.code(&best.amounts)?;
        Ok((code, self.result(targets[0], &before.scores, &best, &tolerances)))
    }

    /// Searches along the edit's own direction.
    async fn search_along(
        &mut self,
        target: f64,
        near: f64,
        before: &Candidate,
    ) -> Result<Candidate, EditorError> {
        let mut search = RootSearch::new(target, before.scores[0]);
        let mut best = before.clone();
        let off = |candidate: &Candidate| (candidate.scores[0] - target).abs();
        for _ in 0..LINE_ROUNDS {
            let distances = search.next_distances();
            if off(&best) <= near || distances.is_empty() {
                break;
            }
            let at = |&distance: &f64| {
                let mut amounts = before.amounts.clone();
                amounts[0] = distance;
                amounts
            };
            let found = self.measure(distances.iter().map(at).collect()).await?;
            let scores: Vec<f64> = found.iter().map(|candidate| candidate.scores[0]).collect();
            search.add(&distances, &scores);
            for candidate in found {
                if off(&candidate) < off(&best) {
                    best = candidate;
                }
            }
        }
        Ok(best)
    }

    /// Corrects along all directions together, by the gradients of the scores at the best candidate; returns the
    /// tolerance of each score.
    async fn correct(
        &mut self,
        targets: &[f64],
        near: f64,
        best: &mut Candidate,
    ) -> Result<Vec<f64>, EditorError> {
        let mut tolerances = Vec::new();
        let mut damping = 1e-3;
        for _ in 0..CORRECTION_ROUNDS {
            let probe = |index: usize| {
                let mut amounts = best.amounts.clone();
                amounts[index] += PROBE;
                amounts
            };
            let probes = (0..best.amounts.len()).map(probe).collect();
            let measured = self.measure(probes).await?;
            let gradient = |(score, amount): (usize, usize)| {
                (measured[amount].scores[score] - best.scores[score]) / PROBE
            };
            if tolerances.is_empty() {
                tolerances = self.tolerances(near, gradient);
            }
            // The residual of each score, in units of its tolerance.
            let residuals = |candidate: &Candidate| -> Vec<f64> {
                let scores = candidate.scores.iter().zip(targets).zip(&tolerances);
                scores
                    .map(|((score, target), tolerance)| (score - target) / tolerance)
                    .collect()
            };
            let now = residuals(best);
            if now.iter().all(|residual| residual.abs() <= 1.0) {
                break;
            }
            let gradients =
                Array2::from_shape_fn((best.scores.len(), best.amounts.len()), |(score, amount)| {
                    gradient((score, amount)) / tolerances[score]
                });
            let Some(step) = damped_least_squares_step(gradients.view(), &now, damping) else {
                break;
            };
            let along = |share: f64| -> Vec<f64> {
                let parts = best.amounts.iter().zip(&step);
                parts.map(|(amount, part)| amount + share * part).collect()
            };
            let candidates = CORRECTION_SHARES.map(along).to_vec();
            let found = self.measure(candidates).await?;
            let error = |candidate: &Candidate| squares(&residuals(candidate));
            let better = found
                .into_iter()
                .filter(|candidate| error(candidate) < squares(&now));
            match better.min_by(|one, other| error(one).total_cmp(&error(other))) {
                Some(better) => {
                    *best = better;
                    damping = f64::max(damping / 4.0, 1e-6);
                }
                None => damping *= 30.0,
            }
        }
        Ok(tolerances)
    }

    /// How far each score may be off. `gradient` gives the change of a score along a direction.
    fn tolerances(&self, near: f64, gradient: impl Fn((usize, usize)) -> f64) -> Vec<f64> {
        let held = |index: usize| match self.attributes[index].kind {
            OutputKind::Logit | OutputKind::Probability => HELD,
            OutputKind::Value => {
                let own = self.movable.iter().position(|&movable| movable == index);
                let change = own.map_or(0.0, |own| gradient((index, own)).abs() * HELD_DISTANCE);
                change.max(1e-6)
            }
        };
        std::iter::once(near)
            .chain((1..self.attributes.len()).map(held))
            .collect()
    }

    /// Synthesizes and scores the original moved by each of `amounts`.
    async fn measure(&mut self, amounts: Vec<Vec<f64>>) -> Result<Vec<Candidate>, EditorError> {
        let codes = amounts.iter().map(|amounts| self.code(amounts));
        let codes: Vec<LatentCode> = codes.collect::<Result<_, _>>()?;
        let scores = self.renderer.score(&codes).await?;
        self.rounds += 1;
        self.images += codes.len();
        let candidates = amounts.into_iter().zip(scores.outer_iter());
        let candidates = candidates.map(|(amounts, row)| {
            let linear = |one: &ScoredAttribute| one.linear(row[one.column].into());
            let scores = self.attributes.iter().map(linear).collect();
            Candidate { amounts, scores }
        });
        Ok(candidates.collect())
    }

    /// The original moved by `amounts`.
    fn code(&self, amounts: &[f64]) -> Result<LatentCode, EditorError> {
        let movable = self.movable.iter();
        let paths = movable.filter_map(|&index| self.attributes[index].path.as_ref());
        let edits = paths.zip(amounts);
        let edits = edits.map(|(path, &amount)| path.edit(Amount::By(amount)));
        let edits: Vec<Edit> = edits.collect::<Result<_, _>>()?;
        Ok(apply(self.original, &edits, None)?)
    }

    fn result(&self, target: f64, before: &[f64], best: &Candidate, tolerances: &[f64]) -> ScoreSearchResult {
        let is_within = |index: usize, target: f64| (best.scores[index] - target).abs() <= tolerances[index];
        let held = (1..self.attributes.len()).map(|index| {
            let scored = &self.attributes[index];
            let score = scored.held_score(before[index], best.scores[index], tolerances[index]);
            (scored.attribute.clone(), score)
        });
        let own = &self.attributes[0];
        let movable = self.movable.iter();
        let names = movable.map(|&index| self.attributes[index].attribute.clone());
        ScoreSearchResult {
            attribute: own.attribute.clone(),
            target: self.target,
            before: own.in_request_unit(before[0]),
            after: own.in_request_unit(best.scores[0]),
            reached: is_within(0, target),
            amounts: names.zip(best.amounts.iter().copied()).collect(),
            held: held.collect(),
            rounds: self.rounds,
            images: self.images,
        }
    }
}

fn squares(residuals: &[f64]) -> f64 {
    residuals.iter().map(|residual| residual * residual).sum()
}
