//! Sequential minimal optimization within a block of samples, from the products of all their pairs.

/// Samples that are processed together; the size of a block is a multiple of it.
pub(crate) const LANES: usize = 16;

/// The least value that is used for ‖xᵢ − xⱼ‖², so that equal samples do not divide by 0.
const MIN_CURVATURE: f32 = 1e-12;

/// The dual problem on a block of m samples: maximize Σ yᵢβᵢ − ½‖Σ βᵢxᵢ‖² with 0 ≤ yᵢβᵢ ≤ C and constant Σ βᵢ.
///
/// Samples with equal bounds are padding.
pub(crate) struct Block {
    /// xᵢ·xⱼ, of shape [m, m] in row-major order.
    pub(crate) products: Vec<f32>,
    /// β, of length m.
    pub(crate) beta: Vec<f64>,
    /// The least and the greatest value of each β.
    pub(crate) bounds: Vec<(f64, f64)>,
    /// fᵢ = yᵢ − w·xᵢ, the gradient, of length m.
    pub(crate) gradient: Vec<f32>,
}

impl Block {
    /// Moves pairs of β until the greatest fᵢ of a β that can rise is at most `tolerance` above the least fⱼ of a β that can
    /// fall, or until `max_moves` moves. Returns the number of moves.
    ///
    /// i has the greatest fᵢ, and j the greatest gain (fᵢ − fⱼ)²/‖xᵢ − xⱼ‖². Source: Fan, Chen, Lin, *Working Set Selection
    /// Using Second Order Information for Training Support Vector Machines* (JMLR 6, 2005), WSS 2, as in LIBSVM.
    pub(crate) fn optimize(&mut self, tolerance: f32, max_moves: usize) -> usize {
        let m = self.beta.len();
        let squares: Vec<f32> = (0..m).map(|t| self.products[t * m + t]).collect();
        // 0 if a β can rise or fall, infinite if it cannot.
        let closed = |can: bool| if can { 0.0 } else { f32::INFINITY };
        let mut rises: Vec<f32> = (0..m).map(|t| closed(self.beta[t] < self.bounds[t].1)).collect();
        let mut falls: Vec<f32> = (0..m).map(|t| closed(self.beta[t] > self.bounds[t].0)).collect();
        for moves in 0..max_moves {
            let (i, highest, lowest) = greatest_violation(&self.gradient, &rises, &falls);
            if highest - lowest <= tolerance {
                return moves;
            }
            let row_i = &self.products[i * m..][..m];
            let j = partner(&self.gradient, &falls, row_i, &squares, highest, squares[i]);
            let row_j = &self.products[j * m..][..m];

            let curvature = (squares[i] + squares[j] - 2.0 * row_i[j]).max(MIN_CURVATURE);
            let unbounded = f64::from((highest - self.gradient[j]) / curvature);
            let (max_i, max_j) = (self.bounds[i].1 - self.beta[i], self.beta[j] - self.bounds[j].0);
            let step = unbounded.min(max_i).min(max_j);
            self.beta[i] = if step < max_i {
                self.beta[i] + step
            } else {
                self.bounds[i].1
            };
            self.beta[j] = if step < max_j {
                self.beta[j] - step
            } else {
                self.bounds[j].0
            };
            for t in [i, j] {
                rises[t] = closed(self.beta[t] < self.bounds[t].1);
                falls[t] = closed(self.beta[t] > self.bounds[t].0);
            }
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the gradient is computed again in f64 after the block"
            )]
            let step = step as f32;
            for ((f, x_i), x_j) in self.gradient.iter_mut().zip(row_i).zip(row_j) {
                *f -= step * (x_i - x_j);
            }
        }
        max_moves
    }
}

/// The index of the β that can rise with the greatest f, that f, and the least f of a β that can fall.
fn greatest_violation(gradient: &[f32], rises: &[f32], falls: &[f32]) -> (usize, f32, f32) {
    let mut highest = [f32::NEG_INFINITY; LANES];
    let mut lowest = [f32::INFINITY; LANES];
    let chunks = gradient
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(rises.as_chunks::<LANES>().0);
    let chunks = chunks.zip(falls.as_chunks::<LANES>().0);
    for ((f, rises), falls) in chunks {
        for lane in 0..LANES {
            highest[lane] = larger(highest[lane], f[lane] - rises[lane]);
            lowest[lane] = -larger(-lowest[lane], -f[lane] - falls[lane]);
        }
    }
    let highest = highest.into_iter().fold(f32::NEG_INFINITY, larger);
    let lowest = -lowest.map(|f| -f).into_iter().fold(f32::NEG_INFINITY, larger);
    let first = gradient
        .iter()
        .zip(rises)
        .position(|(f, rises)| f - rises >= highest);
    (first.unwrap_or(0), highest, lowest)
}

/// The index of the β that can fall with the greatest gain together with i; `highest` is the f of i.
fn partner(
    gradient: &[f32],
    falls: &[f32],
    row_i: &[f32],
    squares: &[f32],
    highest: f32,
    square_i: f32,
) -> usize {
    let gain = |f: f32, falls: f32, product: f32, square: f32| {
        let gap = larger(highest - f - falls, 0.0);
        gap * gap / larger(square_i + square - 2.0 * product, MIN_CURVATURE)
    };
    let mut best = [0.0; LANES];
    let mut best_chunk = [0_u32; LANES];
    let chunks = gradient
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(falls.as_chunks::<LANES>().0);
    let chunks = chunks
        .zip(row_i.as_chunks::<LANES>().0)
        .zip(squares.as_chunks::<LANES>().0);
    for (chunk, (((f, falls), products), squares)) in (0..).zip(chunks) {
        for lane in 0..LANES {
            let gain = gain(f[lane], falls[lane], products[lane], squares[lane]);
            best_chunk[lane] = if gain > best[lane] {
                chunk
            } else {
                best_chunk[lane]
            };
            best[lane] = larger(best[lane], gain);
        }
    }
    let lane = (1..LANES).fold(0, |kept, lane| if best[lane] > best[kept] { lane } else { kept });
    best_chunk[lane] as usize * LANES + lane
}

/// The larger of two numbers, in the form that compiles to one vector instruction; NaN is not handled.
fn larger(x: f32, y: f32) -> f32 {
    if x > y { x } else { y }
}
