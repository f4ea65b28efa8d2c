//! Normally distributed and uniform numbers, and the z code, of a seed, with the bits of numpy.

use ndarray::{Array1, Axis};
use rand_mt::Mt;

use crate::latent::linear_algebra::dot_product::norm;
use crate::latent::{LatentCode, LatentError, LatentSpace};

/// The first `count` normally distributed numbers of `seed`: `numpy.random.RandomState(seed).randn(count)`, to the bit.
///
/// MT19937 with Knuth's initialization gives the words u, u′, …, and ((u ≫ 5)·2²⁶ + (u′ ≫ 6))/2⁵³ is a uniform number.
/// Marsaglia's polar method samples x₁, x₂ in [−1, 1) until 0 < r² = x₁² + x₂² < 1. Then f = √(−2 ln r²/r²), and the
/// numbers are f x₂ and f x₁, in this order. The logarithm is that of the platform, as in numpy.
///
/// Source: numpy's `legacy-distributions.c`, `legacy_gauss`, which numpy keeps frozen (NEP 19).
#[must_use]
pub fn standard_normal(seed: u32, count: usize) -> Vec<f64> {
    let mut twister = Mt::new(seed);
    std::iter::repeat_with(|| normal_pair(&mut twister))
        .flatten()
        .take(count)
        .collect()
}

/// The first `count` uniform numbers in [0, 1) of `seed`: `numpy.random.RandomState(seed).rand(count)`, to the bit.
#[must_use]
pub fn standard_uniform(seed: u32, count: usize) -> Vec<f64> {
    let mut twister = Mt::new(seed);
    std::iter::repeat_with(|| uniform(&mut twister))
        .take(count)
        .collect()
}

/// The z code of `seed`: [`standard_normal`] of `dim` numbers, rounded to `f32`.
///
/// With `rescale` the code is z √dim/‖z‖, computed in `f64` before rounding, so that ‖z‖ = √dim. The reference does the
/// same in `preprocess`, for both of its generators.
///
/// # Errors
///
/// [`LatentError::Empty`] for `dim` 0.
pub fn sample_z(seed: u32, dim: usize, rescale: bool) -> Result<LatentCode, LatentError> {
    let mut z = Array1::from(standard_normal(seed, dim));
    if rescale {
        let norm = norm(&z);
        #[expect(clippy::cast_precision_loss, reason = "no code has 2^53 values")]
        let radius = (dim as f64).sqrt();
        z = z / norm * radius;
    }
    LatentCode::rounded(LatentSpace::Z, &z.insert_axis(Axis(0)))
}

/// Two independent normally distributed numbers, in the order of numpy.
pub(crate) fn normal_pair(twister: &mut Mt) -> [f64; 2] {
    loop {
        let x1 = 2.0 * uniform(twister) - 1.0;
        let x2 = 2.0 * uniform(twister) - 1.0;
        let r2 = x1 * x1 + x2 * x2;
        if r2 < 1.0 && r2 != 0.0 {
            let f = (-2.0 * r2.ln() / r2).sqrt();
            return [f * x2, f * x1];
        }
    }
}

/// A uniform number in [0, 1) with 53 random bits.
fn uniform(twister: &mut Mt) -> f64 {
    let high = f64::from(twister.next_u32() >> 5);
    let low = f64::from(twister.next_u32() >> 6);
    (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_zero_gives_the_well_known_first_numbers() {
        let known = [
            1.764_052_345_967_664,
            0.400_157_208_367_223_3,
            0.978_737_984_105_739_2,
            2.240_893_199_201_458,
        ];
        assert_eq!(standard_normal(0, 4), known);
    }

    #[test]
    fn an_odd_count_is_the_beginning_of_an_even_one() {
        assert_eq!(standard_normal(7, 5), standard_normal(7, 6)[..5]);
    }

    #[test]
    fn a_rescaled_code_lies_on_the_sphere_of_radius_root_dim() {
        let code = sample_z(3, 512, true).unwrap();
        let squared: f64 = code.values().iter().map(|&value| f64::from(value).powi(2)).sum();
        assert!((squared - 512.0).abs() < 1e-4, "{squared}");
    }

    #[test]
    fn a_code_without_values_is_refused() {
        assert!(matches!(sample_z(0, 0, true), Err(LatentError::Empty { .. })));
    }
}
