//! The decomposition of the dual problem into blocks: which samples come next, and when all margins are right.

use std::collections::HashSet;

use ndarray::{Array1, Array2};

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::svm::newton::minimize;
use crate::latent::fitting::svm::problem::{ADVICE, SvmProblem};
use crate::latent::fitting::svm::smo::{Block, LANES};
use crate::latent::linear_algebra::dot_product::{add_scaled, dot_with_code};

/// The greatest difference between the gradients of two β that can still move: LIBSVM's default.
const TOLERANCE: f64 = 1e-3;

/// Samples of a block: their products take 1 MB.
const BLOCK: usize = 512;

/// After this many moves of pairs per value of a code, Newton's method takes over.
const MAX_MOVES_PER_VALUE: usize = 1000;

/// The most values of a code for Newton's method: its matrix takes 32 MB.
pub(crate) const MAX_NEWTON_VALUES: usize = 2048;

/// The most blocks.
const MAX_ROUNDS: usize = 20_000;

/// The state of the dual problem: maximize Σ yᵢβᵢ − ½‖w‖² with w = Σ βᵢxᵢ, Σ βᵢ = 0, 0 ≤ yᵢβᵢ ≤ C.
struct Dual {
    w: Vec<f64>,
    beta: Vec<f64>,
    /// fᵢ = yᵢ − w·xᵢ. At the optimum, fᵢ is b for every β between its bounds.
    gradient: Vec<f64>,
}

/// The samples with a β that can still move, by its gradient f.
struct Movable {
    /// Samples with a β that can rise, the greatest f first.
    rising: Vec<usize>,
    /// Samples with a β that can fall, the least f first.
    falling: Vec<usize>,
    /// Samples with a β that can do both.
    free: Vec<usize>,
    /// The greatest f in `rising`, and the least f in `falling`.
    highest: f64,
    lowest: f64,
}

/// Solves `problem` to 1e-3 in every margin.
///
/// Sequential minimal optimization with decomposition: each round optimizes 512 samples by their products in `f32`, then
/// updates w and all gradients in `f64`. Therefore the memory grows with the number of samples and not with its square.
/// Each block has the pair with the largest violation, so that the method converges (Keerthi, Gilbert, *Convergence of a
/// Generalized SMO Algorithm*, Machine Learning 46, 2002). Half of a block are the largest violations, and the rest are
/// samples that were free before (Joachims, *Making Large-Scale SVM Learning Practical*, 1999; Zanghirati, Zanni, *A
/// Parallel Solver for Large Quadratic Programs*, 2003). If classes overlap, more samples are free than a block holds, and
/// pairs converge slowly: then Newton's method takes over.
///
/// # Errors
/// [`FitError::NotConverged`] and [`FitError::Cancelled`].
pub(crate) fn solve(problem: &SvmProblem<'_>, progress: &mut Progress<'_>) -> Result<Hyperplane, FitError> {
    solve_within(problem, MAX_MOVES_PER_VALUE * problem.rows.dim(), progress)
}

/// [`solve`], with at most about `max_moves` moves of pairs before Newton's method.
fn solve_within(
    problem: &SvmProblem<'_>,
    max_moves: usize,
    progress: &mut Progress<'_>,
) -> Result<Hyperplane, FitError> {
    let all: Vec<usize> = (0..problem.rows.len()).collect();
    let centre = problem.rows.mean(&all);
    let mut dual = Dual {
        w: vec![0.0; problem.rows.dim()],
        beta: vec![0.0; all.len()],
        gradient: problem.sides.to_vec(),
    };
    let mut block = Vec::new();
    let (mut moves, mut stuck) = (0, false);
    let mut gap = f64::INFINITY;
    for _ in 0..MAX_ROUNDS {
        let movable = dual.movable(problem);
        gap = movable.highest - movable.lowest;
        progress.converged_to(gap, TOLERANCE)?;
        let hyperplane = Hyperplane {
            w: dual.w.clone(),
            intercept: movable.intercept(&dual.gradient),
        };
        if gap <= TOLERANCE {
            return Ok(hyperplane);
        }
        let overlap = moves >= max_moves || movable.free.len() > 2 * BLOCK;
        if (overlap || stuck) && problem.rows.dim() <= MAX_NEWTON_VALUES {
            return minimize(problem, hyperplane, TOLERANCE, progress);
        }
        if stuck {
            break;
        }
        block = movable.block(&block);
        let in_block = dual.optimize_block(problem, &block, gap, &centre);
        moves += in_block;
        stuck = in_block == 0;
    }
    Err(FitError::NotConverged {
        gap,
        tolerance: TOLERANCE,
        advice: ADVICE,
    })
}

impl Dual {
    fn movable(&self, problem: &SvmProblem<'_>) -> Movable {
        let f = |&index: &usize| self.gradient[index];
        let can_rise = |&index: &usize| self.beta[index] < problem.bounds(index).1;
        let can_fall = |&index: &usize| self.beta[index] > problem.bounds(index).0;
        let all = 0..self.beta.len();
        let mut rising: Vec<_> = all.clone().filter(can_rise).collect();
        let mut falling: Vec<_> = all.filter(can_fall).collect();
        rising.sort_by(|one, other| f(other).total_cmp(&f(one)));
        falling.sort_by(|one, other| f(one).total_cmp(&f(other)));
        Movable {
            free: rising.iter().copied().filter(can_fall).collect(),
            highest: rising.first().map_or(f64::NEG_INFINITY, f),
            lowest: falling.first().map_or(f64::INFINITY, f),
            rising,
            falling,
        }
    }

    /// Optimizes the samples of `block` until their gap is a tenth of the `gap` of all samples, and updates w and the
    /// gradient. Returns the number of moves of pairs.
    fn optimize_block(
        &mut self,
        problem: &SvmProblem<'_>,
        block: &[usize],
        gap: f64,
        centre: &Array1<f64>,
    ) -> usize {
        let m = block.len().next_multiple_of(LANES);
        let mut within = Block {
            products: products(problem, block, centre, m),
            beta: block.iter().map(|&index| self.beta[index]).collect(),
            bounds: block.iter().map(|&index| problem.bounds(index)).collect(),
            gradient: block.iter().map(|&index| single(self.gradient[index])).collect(),
        };
        within.beta.resize(m, 0.0);
        within.bounds.resize(m, (0.0, 0.0));
        within.gradient.resize(m, 0.0);
        let moves = within.optimize(single((gap / 10.0).max(TOLERANCE / 2.0)), 10 * m);
        for (&index, beta) in block.iter().zip(within.beta) {
            add_scaled(&mut self.w, beta - self.beta[index], problem.rows.row(index));
            self.beta[index] = beta;
        }
        for (index, (f, side)) in self.gradient.iter_mut().zip(problem.sides).enumerate() {
            *f = side - dot_with_code(&self.w, problem.rows.row(index));
        }
        moves
    }
}

/// (xᵢ − `centre`)·(xⱼ − `centre`) for the samples of `block`, padded with zeros to [m, m]. As Σ βᵢ is 0, the centre changes
/// only the rounding.
fn products(problem: &SvmProblem<'_>, block: &[usize], centre: &Array1<f64>, m: usize) -> Vec<f32> {
    let mut centred = Array2::zeros((m, problem.rows.dim()));
    for (mut row, &index) in centred.rows_mut().into_iter().zip(block) {
        for ((centred, &x), centre) in row.iter_mut().zip(problem.rows.row(index)).zip(centre) {
            *centred = single(f64::from(x) - centre);
        }
    }
    centred.dot(&centred.t()).into_iter().collect()
}

impl Movable {
    /// The next block: first half a block of the largest violations, then free samples, those of the `last` block first,
    /// then the other samples of the last block.
    fn block(&self, last: &[usize]) -> Vec<usize> {
        let mut pairs: Vec<_> = self
            .rising
            .iter()
            .zip(&self.falling)
            .flat_map(|(&up, &down)| [up, down])
            .collect();
        pairs.truncate(BLOCK);
        let mut free = self.free.clone();
        free.sort_unstable();
        let (kept, left): (Vec<_>, Vec<_>) =
            last.iter().partition(|&index| free.binary_search(index).is_ok());
        let mut block: Vec<usize> = Vec::with_capacity(BLOCK);
        let mut taken = HashSet::new();
        let (first, rest) = pairs.split_at(pairs.len().min(BLOCK / 2));
        for &index in first
            .iter()
            .chain(&kept)
            .chain(&self.free)
            .chain(&left)
            .chain(rest)
        {
            if block.len() < BLOCK && taken.insert(index) {
                block.push(index);
            }
        }
        block
    }

    /// The intercept: the mean gradient of the free samples, or, without free samples, the middle between `highest` and
    /// `lowest`.
    fn intercept(&self, gradient: &[f64]) -> f64 {
        let free: Array1<f64> = self.free.iter().map(|&index| gradient[index]).collect();
        free.mean().unwrap_or(f64::midpoint(self.highest, self.lowest))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "products and gradients within a block are f32"
)]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::latent::linear_algebra::code_rows::CodeRows;
    use crate::latent::linear_algebra::dot_product::dot;
    use crate::latent::standard_normal;

    const DIM: usize = 24;

    /// Samples of two classes; more `noise` means more overlap.
    fn samples(count: usize, noise: f64) -> (Array2<f32>, Vec<f64>) {
        let codes = standard_normal(3, count * DIM).into_iter().map(single).collect();
        let codes = Array2::from_shape_vec((count, DIM), codes).unwrap();
        let errors = standard_normal(4, count);
        let along = codes.outer_iter().map(|code| f64::from(code[0]) + 0.5);
        let sides = along
            .zip(errors)
            .map(|(along, error)| (along + noise * error).signum())
            .collect();
        (codes, sides)
    }

    fn solved(codes: &Array2<f32>, sides: &[f64], pairs: usize) -> Vec<f64> {
        let selected: Vec<_> = (0..sides.len()).collect();
        let rows = CodeRows {
            codes: codes.view(),
            selected: &selected,
        };
        let problem = SvmProblem {
            rows,
            sides,
            cost: 1.0,
        };
        let mut continue_always = |_| ControlFlow::Continue(());
        let hyperplane = solve_within(&problem, pairs, &mut Progress::new(&mut continue_always)).unwrap();
        [hyperplane.w, vec![hyperplane.intercept]].concat()
    }

    #[test]
    fn pairs_and_newton_find_the_same_hyperplane_for_classes_that_overlap_or_not() {
        for noise in [0.0, 0.3, 2.0] {
            let (codes, sides) = samples(700, noise);
            let by_pairs = solved(&codes, &sides, usize::MAX);
            for pairs in [0, 500] {
                let by_newton = solved(&codes, &sides, pairs);
                let length = dot(&by_pairs, &by_pairs).sqrt();
                for (one, other) in by_pairs.iter().zip(by_newton) {
                    assert!(
                        (one - other).abs() < 2e-3 * length,
                        "noise {noise}: {one} and {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_change_of_a_weight_lowers_the_objective() {
        let (codes, sides) = samples(700, 0.7);
        let objective = |hyperplane: &[f64]| {
            let (w, intercept) = hyperplane.split_at(DIM);
            let margins = codes.outer_iter().zip(&sides).map(|(code, side)| {
                side * (dot_with_code(w, code.to_slice().expect("rows are contiguous")) + intercept[0])
            });
            dot(w, w) / 2.0 + margins.map(|margin| (1.0 - margin).max(0.0)).sum::<f64>()
        };
        for pairs in [0, usize::MAX] {
            let hyperplane = solved(&codes, &sides, pairs);
            for weight in 0..=DIM {
                for change in [-0.02, 0.02] {
                    let mut other = hyperplane.clone();
                    other[weight] += change;
                    assert!(
                        objective(&other) > objective(&hyperplane) - 1e-3,
                        "weight {weight}"
                    );
                }
            }
        }
    }
}
