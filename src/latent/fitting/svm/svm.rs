//! The linear support vector machine: which samples to settle next, and when all are.

use ndarray::{Array1, Array2};

use crate::latent::LatentError;
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::svm::newton::descend;
use crate::latent::fitting::svm::smo::{Block, LANES};
use crate::latent::linear_algebra::normal_equations::Rows;
use crate::latent::linear_algebra::product::{add_scaled, project};

/// How far apart the gradients of two β that could still move may stay: LIBSVM's default.
const TOLERANCE: f64 = 1e-3;

/// Samples of a block: their products take 1 MB.
const BLOCK: usize = 512;

/// Moves of pairs for each value of a code after which Newton's method goes on.
const PAIRS: usize = 1000;

/// Values of a code up to which Newton's method may go on: its matrix takes 32 MB.
const NEWTON: usize = 2048;

/// Blocks after which samples that have not settled never will.
const ROUNDS: usize = 20_000;

/// Minimise ½‖w‖² + C Σ max(0, 1 − yᵢ(w·xᵢ + b)) over w and b, the problem of scikit-learn's
/// `SVC(kernel="linear")`. The intercept costs nothing, unlike in its `LinearSVC`.
pub(crate) struct LinearSvm<'a> {
    /// The samples x.
    pub(crate) rows: Rows<'a>,
    /// Their sides y, 1 or −1, as many of them.
    pub(crate) sides: &'a [f64],
    /// C.
    pub(crate) cost: f64,
}

/// A hyperplane w·x + b = 0, w of any length.
pub(crate) struct Hyperplane {
    pub(crate) w: Vec<f64>,
    pub(crate) intercept: f64,
}

/// Where the dual problem stands: maximise Σ yᵢβᵢ − ½‖w‖² with w = Σ βᵢxᵢ, Σ βᵢ = 0, 0 ≤ yᵢβᵢ ≤ C.
struct Dual {
    w: Vec<f64>,
    beta: Vec<f64>,
    /// fᵢ = yᵢ − w·xᵢ: b for every β between its bounds, once all are settled.
    gradient: Vec<f64>,
}

/// The samples whose β can still move, and how much they disagree.
struct Movable {
    /// Those that can rise, the largest gradient first.
    rising: Vec<usize>,
    /// Those that can fall, the least gradient first.
    falling: Vec<usize>,
    /// Those that can do both.
    free: Vec<usize>,
    /// The largest gradient of the first, and the least of the second.
    highest: f64,
    lowest: f64,
}

impl LinearSvm<'_> {
    /// The plane, within 1e-3 in every margin.
    ///
    /// Sequential minimal optimisation, decomposed: each round settles 512 samples by their products in `f32`, then
    /// brings w and all gradients up to date in `f64`, so that memory grows with the samples and not with their square. A
    /// block has the pair that disagrees most, hence it converges (Keerthi, Gilbert, *Convergence of a Generalized
    /// SMO Algorithm*, Machine Learning 46, 2002); half of it are those that disagree most, the rest those left
    /// free before (Joachims, *Making Large-Scale SVM Learning Practical*, 1999; Zanghirati, Zanni, *A Parallel
    /// Solver for Large Quadratic Programs*, 2003). Classes that overlap leave more samples free than a block holds,
    /// and pairs then take long: Newton's method goes on.
    pub(crate) fn solve(&self, watch: &mut Progress<'_>) -> Result<Hyperplane, LatentError> {
        self.solve_within(PAIRS * self.rows.dim(), watch)
    }

    /// [`solve`](Self::solve), with at most about `pairs` moves before Newton's method.
    fn solve_within(&self, pairs: usize, watch: &mut Progress<'_>) -> Result<Hyperplane, LatentError> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        let centre = self.rows.mean(&all);
        let mut dual = Dual {
            w: vec![0.0; self.rows.dim()],
            beta: vec![0.0; all.len()],
            gradient: self.sides.to_vec(),
        };
        let mut block = Vec::new();
        let (mut moved, mut stuck) = (0, false);
        let mut left = f64::INFINITY;
        for _ in 0..ROUNDS {
            let movable = self.movable(&dual);
            left = movable.highest - movable.lowest;
            watch.settled_to(left, TOLERANCE)?;
            let plane = Hyperplane {
                w: dual.w.clone(),
                intercept: movable.intercept(&dual.gradient),
            };
            if left <= TOLERANCE {
                return Ok(plane);
            }
            let overlap = moved >= pairs || movable.free.len() > 2 * BLOCK;
            if (overlap || stuck) && self.rows.dim() <= NEWTON {
                return descend(self, plane, TOLERANCE, watch);
            }
            if stuck {
                break;
            }
            block = movable.block(&block);
            let by_block = self.settle(&block, left, &centre, &mut dual);
            moved += by_block;
            stuck = by_block == 0;
        }
        Err(LatentError::Unsettled {
            gap: left,
            tolerance: TOLERANCE,
        })
    }

    /// The least and the largest β of a sample.
    fn bounds(&self, index: usize) -> (f64, f64) {
        if self.sides[index] > 0.0 {
            (0.0, self.cost)
        } else {
            (-self.cost, 0.0)
        }
    }

    fn movable(&self, dual: &Dual) -> Movable {
        let f = |&index: &usize| dual.gradient[index];
        let can_rise = |&index: &usize| dual.beta[index] < self.bounds(index).1;
        let can_fall = |&index: &usize| dual.beta[index] > self.bounds(index).0;
        let all = 0..dual.beta.len();
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

    /// Settles the samples of `block` to a tenth of the `gap` among all, and brings w and the gradient up to date; returns how
    /// many pairs moved.
    fn settle(&self, block: &[usize], gap: f64, centre: &Array1<f64>, dual: &mut Dual) -> usize {
        let m = block.len().next_multiple_of(LANES);
        let mut within = Block {
            products: self.products(block, centre, m),
            beta: block.iter().map(|&index| dual.beta[index]).collect(),
            bounds: block.iter().map(|&index| self.bounds(index)).collect(),
            gradient: block.iter().map(|&index| single(dual.gradient[index])).collect(),
        };
        within.beta.resize(m, 0.0);
        within.bounds.resize(m, (0.0, 0.0));
        within.gradient.resize(m, 0.0);
        let moved = within.settle(single((gap / 10.0).max(TOLERANCE / 2.0)), 10 * m);
        for (&index, beta) in block.iter().zip(within.beta) {
            add_scaled(&mut dual.w, beta - dual.beta[index], self.rows.row(index));
            dual.beta[index] = beta;
        }
        for (index, (f, side)) in dual.gradient.iter_mut().zip(self.sides).enumerate() {
            *f = side - project(&dual.w, self.rows.row(index));
        }
        moved
    }

    /// (xᵢ − `centre`)·(xⱼ − `centre`) of the samples of `block`, filled up with zeros to [m, m]; as Σ βᵢ is 0, the
    /// centre changes nothing but rounding.
    fn products(&self, block: &[usize], centre: &Array1<f64>, m: usize) -> Vec<f32> {
        let mut centred = Array2::zeros((m, self.rows.dim()));
        for (mut row, &index) in centred.rows_mut().into_iter().zip(block) {
            for ((centred, &x), centre) in row.iter_mut().zip(self.rows.row(index)).zip(centre) {
                *centred = single(f64::from(x) - centre);
            }
        }
        centred.dot(&centred.t()).into_iter().collect()
    }
}

impl Movable {
    /// The next block: half of those that disagree most, then those that are free, of the `last` block first, then the
    /// others of the last.
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
        let mut taken = std::collections::HashSet::new();
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

    /// The intercept: the mean gradient of those that are free, or halfway between those that are not.
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
    use crate::latent::linear_algebra::product::dot;
    use crate::latent::standard_normal;

    const DIM: usize = 24;

    /// Samples whose classes overlap the more, the louder the `noise`.
    fn drawn(samples: usize, noise: f64) -> (Array2<f32>, Vec<f64>) {
        let codes = standard_normal(3, samples * DIM)
            .into_iter()
            .map(single)
            .collect();
        let codes = Array2::from_shape_vec((samples, DIM), codes).unwrap();
        let errors = standard_normal(4, samples);
        let along = codes.outer_iter().map(|code| f64::from(code[0]) + 0.5);
        let sides = along
            .zip(errors)
            .map(|(along, error)| (along + noise * error).signum())
            .collect();
        (codes, sides)
    }

    fn solved(codes: &Array2<f32>, sides: &[f64], pairs: usize) -> Vec<f64> {
        let chosen: Vec<_> = (0..sides.len()).collect();
        let rows = Rows {
            codes: codes.view(),
            chosen: &chosen,
        };
        let machine = LinearSvm {
            rows,
            sides,
            cost: 1.0,
        };
        let mut goes_on = |_| ControlFlow::Continue(());
        let plane = machine
            .solve_within(pairs, &mut Progress::new(&mut goes_on))
            .unwrap();
        [plane.w, vec![plane.intercept]].concat()
    }

    #[test]
    fn pairs_and_newton_find_one_plane_whether_classes_overlap_or_not() {
        for noise in [0.0, 0.3, 2.0] {
            let (codes, sides) = drawn(700, noise);
            let by_pairs = solved(&codes, &sides, usize::MAX);
            for pairs in [0, 500] {
                let by_newton = solved(&codes, &sides, pairs);
                let length = dot(&by_pairs, &by_pairs).sqrt();
                for (one, other) in by_pairs.iter().zip(by_newton) {
                    assert!(
                        (one - other).abs() < 2e-3 * length,
                        "noise {noise}: {one} beside {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_weight_lowers_the_cost_of_the_margins() {
        let (codes, sides) = drawn(700, 0.7);
        let objective = |plane: &[f64]| {
            let (w, intercept) = plane.split_at(DIM);
            let margins = codes.outer_iter().zip(&sides).map(|(code, side)| {
                side * (project(w, code.to_slice().expect("rows are contiguous")) + intercept[0])
            });
            dot(w, w) / 2.0 + margins.map(|margin| (1.0 - margin).max(0.0)).sum::<f64>()
        };
        for pairs in [0, usize::MAX] {
            let plane = solved(&codes, &sides, pairs);
            for weight in 0..=DIM {
                for change in [-0.02, 0.02] {
                    let mut other = plane.clone();
                    other[weight] += change;
                    assert!(objective(&other) > objective(&plane) - 1e-3, "weight {weight}");
                }
            }
        }
    }
}
