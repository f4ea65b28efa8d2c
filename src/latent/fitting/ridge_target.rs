//! What a ridge regression predicts, and the hyperplanes of its fits.

use std::array;

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::moments::{HalvedScoreMoments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::ridge::Ridge;
use crate::latent::fitting::shared_codes::Reduction;
use crate::latent::linear_algebra::dot_product::dot;

/// Scores, or numbers in their place, that a ridge regression predicts.
pub(crate) struct RidgeTarget {
    /// Name of the method, in words.
    pub(crate) method: &'static str,
    pub(crate) threshold: f64,
    pub(crate) moments: HalvedScoreMoments,
    /// The scores of the codes whose influence is known.
    pub(crate) some: Vec<f64>,
}

impl RidgeTarget {
    /// The hyperplane that `fitted` finds for each half, if it finds one.
    pub(crate) fn of_halves(
        &self,
        codes: &Reduction,
        fitted: impl Fn(&ReducedCodes, &ScoreMoments) -> Option<Ridge>,
    ) -> [Option<Hyperplane>; 2] {
        array::from_fn(|half| {
            let (codes, moments) = (&codes.of_halves[half], &self.moments.of_halves[half]);
            Some(self.hyperplane(codes, moments, &fitted(codes, moments)?))
        })
    }

    /// The hyperplane on which the prediction is the threshold.
    pub(crate) fn hyperplane(&self, codes: &ReducedCodes, y: &ScoreMoments, fit: &Ridge) -> Hyperplane {
        Hyperplane {
            w: fit.w.clone(),
            intercept: y.mean - self.threshold - dot(&fit.w, codes.centre()),
        }
    }
}
