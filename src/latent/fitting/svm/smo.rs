//! Sequential minimal optimisation within a block of samples whose inner products are all at hand.

/// Samples that a pass looks at together; a block's size is a multiple of it.
pub(crate) const LANES: usize = 16;

/// What ‖xᵢ − xⱼ‖² is taken for where two samples are one.
const FLAT: f32 = 1e-12;

/// The part of the dual problem that a block of m samples is: maximise Σ yᵢβᵢ − ½‖Σ βᵢxᵢ‖² where 0 ≤ yᵢβᵢ ≤ C and
/// Σ βᵢ stays what it is.
///
/// Samples with equal bounds only fill it up.
pub(crate) struct Block {
    /// xᵢ·xⱼ, of shape [m, m] in row-major order.
    pub(crate) products: Vec<f32>,
    /// β, of length m.
    pub(crate) beta: Vec<f64>,
    /// The least and the largest value of each β.
    pub(crate) bounds: Vec<(f64, f64)>,
    /// fᵢ = yᵢ − w·xᵢ, the gradient, of length m.
    pub(crate) gradient: Vec<f32>,
}

impl Block {
    /// Moves pairs until the largest fᵢ of a β that can rise is at most `tolerance` above the least fⱼ of one that can
    /// fall, or `most` pairs have moved; returns how many did.
    ///
    /// i has the largest fᵢ, and j the largest gain (fᵢ − fⱼ)²/‖xᵢ − xⱼ‖². Source: Fan, Chen, Lin, *Working Set
    /// Selection Using Second Order Information for Training Support Vector Machines* (JMLR 6, 2005), WSS 2, which
    /// is LIBSVM's.
    pub(crate) fn settle(&mut self, tolerance: f32, most: usize) -> usize {
        let m = self.beta.len();
        let squares: Vec<f32> = (0..m).map(|t| self.products[t * m + t]).collect();
        // 0 where a β can rise or fall, infinite where it cannot.
        let closed = |can: bool| if can { 0.0 } else { f32::INFINITY };
        let mut rises: Vec<f32> = (0..m).map(|t| closed(self.beta[t] < self.bounds[t].1)).collect();
        let mut falls: Vec<f32> = (0..m).map(|t| closed(self.beta[t] > self.bounds[t].0)).collect();
        for moved in 0..most {
            let (i, highest, lowest) = extremes(&self.gradient, &rises, &falls);
            if highest - lowest <= tolerance {
                return moved;
            }
            let row_i = &self.products[i * m..][..m];
            let j = partner(&self.gradient, &falls, row_i, &squares, highest, squares[i]);
            let row_j = &self.products[j * m..][..m];

            let curvature = (squares[i] + squares[j] - 2.0 * row_i[j]).max(FLAT);
            let whole = f64::from((highest - self.gradient[j]) / curvature);
            let (room_i, room_j) = (self.bounds[i].1 - self.beta[i], self.beta[j] - self.bounds[j].0);
            let step = whole.min(room_i).min(room_j);
            self.beta[i] = if step < room_i {
                self.beta[i] + step
            } else {
                self.bounds[i].1
            };
            self.beta[j] = if step < room_j {
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
                reason = "the next block's gradient is made anew"
            )]
            let step = step as f32;
            for ((f, x_i), x_j) in self.gradient.iter_mut().zip(row_i).zip(row_j) {
                *f -= step * (x_i - x_j);
            }
        }
        most
    }
}

/// Which β that can rise has the largest f, that f, and the least f of those that can fall.
fn extremes(gradient: &[f32], rises: &[f32], falls: &[f32]) -> (usize, f32, f32) {
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

/// Which β that can fall gains most beside i, whose f is `highest`.
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
        gap * gap / larger(square_i + square - 2.0 * product, FLAT)
    };
    let mut best = [0.0; LANES];
    let mut place = [0_u32; LANES];
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
            place[lane] = if gain > best[lane] { chunk } else { place[lane] };
            best[lane] = larger(best[lane], gain);
        }
    }
    let lane = (1..LANES).fold(0, |kept, lane| if best[lane] > best[kept] { lane } else { kept });
    place[lane] as usize * LANES + lane
}

/// The larger of two numbers, as the processor has it.
fn larger(x: f32, y: f32) -> f32 {
    if x > y { x } else { y }
}
