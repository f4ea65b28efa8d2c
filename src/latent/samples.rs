//! Many codes from one seed, as the paper's experiments draw them.

use ndarray::{Array1, Array2};
use rand_mt::Mt;

use crate::latent::linear_algebra::product::norm;
use crate::latent::sampling::normal_pair;

/// z codes of one seed, one after another: the rows of `numpy.random.RandomState(seed).randn(count, dim)`, whatever the
/// count, each rounded to `f32`.
///
/// With `rescale` each is z √dim/‖z‖, computed in `f64` before rounding, as [`sample_z`](crate::latent::sample_z) does.
pub struct Samples {
    twister: Mt,
    /// The second number of a pair whose first was the last of a row.
    kept: Option<f64>,
    dim: usize,
    rescale: bool,
}

impl Samples {
    /// The codes of `seed`, of `dim` values each.
    #[must_use]
    pub fn new(seed: u32, dim: usize, rescale: bool) -> Self {
        Self {
            twister: Mt::new(seed),
            kept: None,
            dim,
            rescale,
        }
    }

    /// The next `count` codes, of shape [count, dim].
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "codes are single precision, and none has 2^53 values"
    )]
    pub fn draw(&mut self, count: usize) -> Array2<f32> {
        let mut codes = Array2::zeros((count, self.dim));
        for mut code in codes.outer_iter_mut() {
            let row: Array1<f64> = (0..self.dim).map(|_| self.next()).collect();
            let radius = if self.rescale {
                (self.dim as f64).sqrt()
            } else {
                1.0
            };
            let length = if self.rescale { norm(&row) } else { 1.0 };
            code.assign(&row.mapv(|value| (value * radius / length) as f32));
        }
        codes
    }

    fn next(&mut self) -> f64 {
        if let Some(kept) = self.kept.take() {
            return kept;
        }
        let [first, second] = normal_pair(&mut self.twister);
        self.kept = Some(second);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::{sample_z, standard_normal};

    #[test]
    fn the_rows_are_one_stream_however_they_are_drawn() {
        for dim in [3, 4] {
            let mut samples = Samples::new(2020, dim, false);
            let mut drawn: Vec<f32> = samples.draw(2).iter().copied().collect();
            drawn.extend(samples.draw(3));
            #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
            let known = standard_normal(2020, 5 * dim)
                .into_iter()
                .map(|value| value as f32);
            assert_eq!(drawn, known.collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_code_is_the_one_that_the_seed_means() {
        let first = Samples::new(7, 64, true).draw(1);
        let known = sample_z(7, 64, true).unwrap();
        let close = first
            .iter()
            .zip(known.values())
            .all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close);
    }
}
