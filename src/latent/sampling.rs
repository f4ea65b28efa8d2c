//! Codes from seeds, as the field has always drawn them.

use ndarray::{Array1, Axis};
use rand_mt::Mt;

use crate::latent::linear_algebra::product::norm;
use crate::latent::{LatentCode, LatentError, LatentSpace};

/// `count` normally distributed numbers: `numpy.random.RandomState(seed).randn(count)`, to the bit.
///
/// MT19937 with Knuth's initialisation gives u, u′, …; a uniform double is ((u ≫ 5)·2²⁶ + (u′ ≫ 6))/2⁵³;
/// Marsaglia's polar method draws x₁, x₂ in [−1, 1) until 0 < r² = x₁² + x₂² < 1, and with f = √(−2 ln r²/r²)
/// gives f x₂, then f x₁. The logarithm is the platform's, as in numpy.
///
/// Source: numpy's `legacy-distributions.c`, `legacy_gauss`, frozen there for good (NEP 19).
#[must_use]
pub fn standard_normal(seed: u32, count: usize) -> Vec<f64> {
    let mut twister = Mt::new(seed);
    std::iter::repeat_with(|| normal_pair(&mut twister))
        .flatten()
        .take(count)
        .collect()
}

/// The z code that `seed` means: [`standard_normal`] of `dim` numbers, rounded to `f32`.
///
/// With `rescale` it is z √dim/‖z‖, so that ‖z‖ = √dim, computed in `f64` before rounding: the reference's
/// `preprocess`, for both of its generators.
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

/// What one seed shuffles, as `numpy.random.RandomState(seed)` does: one list after the other.
pub(crate) struct Shuffler(Mt);

impl Shuffler {
    pub(crate) fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// Shuffles in place, as `RandomState.shuffle` and `permutation` do, to the bit.
    ///
    /// Fisher and Yates, from the last place down; an index up to the place is a random word under the mask of as many
    /// bits, drawn until it is not above. Source: numpy's `random_interval`, frozen there for good (NEP 19).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            let top = u32::try_from(place).expect("no list has 2^32 entries");
            let mask = u32::MAX >> top.leading_zeros();
            let other = loop {
                let word = self.0.next_u32() & mask;
                if word <= top {
                    break word;
                }
            };
            list.swap(place, other as usize);
        }
    }
}

/// Two independent normal numbers, in the order in which numpy returns them.
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

    /// `RandomState(2020).permutation(12)`, twice.
    const NUMPYS: [[usize; 12]; 2] = [
        [2, 1, 11, 4, 10, 5, 7, 9, 6, 3, 8, 0],
        [1, 6, 5, 4, 10, 7, 2, 9, 3, 8, 11, 0],
    ];

    #[test]
    fn seed_zero_begins_as_everyone_knows_it() {
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
    fn a_seed_shuffles_as_in_numpy_and_goes_on_with_the_next_list() {
        let mut shuffler = Shuffler::new(2020);
        let mut lists = [[0; 12], [0; 12]];
        for list in &mut lists {
            *list = std::array::from_fn(|place| place);
            shuffler.shuffle(list);
        }
        assert_eq!(lists, NUMPYS);
    }

    #[test]
    fn a_rescaled_code_lies_on_the_sphere_of_radius_root_dim() {
        let code = sample_z(3, 512, true).unwrap();
        let squared: f64 = code.values().iter().map(|&value| f64::from(value).powi(2)).sum();
        assert!((squared - 512.0).abs() < 1e-4, "{squared}");
    }

    #[test]
    fn a_code_of_no_values_is_refused() {
        assert!(matches!(sample_z(0, 0, true), Err(LatentError::Empty { .. })));
    }
}
