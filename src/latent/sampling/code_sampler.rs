//! Many z codes of one seed, as in the paper's experiments.

use ndarray::{Array1, Array2};
use rand_mt::Mt;

use crate::latent::linear_algebra::dot_product::norm;
use crate::latent::sampling::standard_normal::normal_pair;

/// Samples z codes of one seed, one after another: the rows of `numpy.random.RandomState(seed).randn(count, dim)`, for any
/// `count`, rounded to `f32`.
///
/// With `rescale` each code is z √dim/‖z‖, computed in `f64` before rounding, as in [`sample_z`](crate::latent::sample_z).
pub struct CodeSampler {
    twister: Mt,
    /// The second number of a pair, if the first number was the last of a row.
    next: Option<f64>,
    dim: usize,
    rescale: bool,
}

impl CodeSampler {
    /// Makes the sampler of `seed`, for codes of `dim` values.
    #[must_use]
    pub fn new(seed: u32, dim: usize, rescale: bool) -> Self {
        Self {
            twister: Mt::new(seed),
            next: None,
            dim,
            rescale,
        }
    }

    /// The next `count` codes, of shape [count, dim].
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "codes are f32, and no code has 2^53 values"
    )]
    pub fn sample(&mut self, count: usize) -> Array2<f32> {
        let mut codes = Array2::zeros((count, self.dim));
        for mut code in codes.outer_iter_mut() {
            let row: Array1<f64> = (0..self.dim).map(|_| self.next_number()).collect();
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

    fn next_number(&mut self) -> f64 {
        if let Some(number) = self.next.take() {
            return number;
        }
        let [first, second] = normal_pair(&mut self.twister);
        self.next = Some(second);
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::{sample_z, standard_normal};

    #[test]
    fn the_rows_do_not_depend_on_how_many_are_sampled_at_once() {
        for dim in [3, 4] {
            let mut sampler = CodeSampler::new(2020, dim, false);
            let mut values: Vec<f32> = sampler.sample(2).iter().copied().collect();
            values.extend(sampler.sample(3));
            #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
            let known = standard_normal(2020, 5 * dim)
                .into_iter()
                .map(|value| value as f32);
            assert_eq!(values, known.collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_first_code_is_the_code_of_the_seed() {
        let first = CodeSampler::new(7, 64, true).sample(1);
        let known = sample_z(7, 64, true).unwrap();
        let close = first
            .iter()
            .zip(known.values())
            .all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close);
    }
}
