//! Truncation: moves a w code towards the average w code.

use crate::latent::{LatentCode, LatentError, LatentSpace};

/// Truncation of w codes: w̄ + ψ (w − w̄), on all layers or on the first layers only.
///
/// It is part of the mapping from z to w. Codes that come in w or w+ are synthesized unchanged. The reference truncates
/// w codes after an edit, but then they miss the distance that the edit asked for.
///
/// Source: Karras et al., *A Style-Based Generator Architecture for GANs* (CVPR 2019), appendix B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncation {
    psi: f64,
    layers: Option<usize>,
}

impl Truncation {
    /// Makes a truncation by `psi` on the first `layers` layers, or on all layers for `None`.
    ///
    /// `psi` is from −2 to 2: 1 does not truncate, 0 gives the average face, below 0 gives the opposite face (the paper
    /// shows −1), and above 1 exaggerates. Beyond this range images break down, and a value such as 70 is a mistake for
    /// 0.7.
    ///
    /// # Errors
    ///
    /// [`LatentError::Psi`] outside that range.
    pub fn new(psi: f64, layers: Option<usize>) -> Result<Self, LatentError> {
        if !(-2.0..=2.0).contains(&psi) {
            return Err(LatentError::Psi { found: psi });
        }
        Ok(Self { psi, layers })
    }

    /// The factor ψ.
    #[must_use]
    pub fn psi(&self) -> f64 {
        self.psi
    }

    /// The number of first layers that are truncated; `None` for all.
    #[must_use]
    pub fn layers(&self) -> Option<usize> {
        self.layers
    }

    /// Truncates `w` towards `w_avg`, of shape \[dim\], for a model with `total_layers` layers.
    ///
    /// If all layers are truncated, the result is a w code; otherwise it is a w+ code of `total_layers` layers. It is
    /// computed in `f64` and rounded once. If ψ is 1, the result is `w` with the same bits.
    ///
    /// # Errors
    ///
    /// [`LatentError::NotTruncatable`] for a z or a w+ code, [`LatentError::AverageSize`] for an average of another size,
    /// [`LatentError::TruncatedLayers`] for 0 layers or more than `total_layers`, and [`LatentError::NotFinite`] for an
    /// average that is not finite.
    pub fn apply(
        &self,
        w: &LatentCode,
        w_avg: &[f32],
        total_layers: usize,
    ) -> Result<LatentCode, LatentError> {
        if w.space() != LatentSpace::W {
            return Err(LatentError::NotTruncatable { found: w.space() });
        }
        if w_avg.len() != w.dim() {
            return Err(LatentError::AverageSize {
                found: w_avg.len(),
                expected: w.dim(),
            });
        }
        let layers = self.layers.unwrap_or(total_layers);
        if layers == 0 || layers > total_layers {
            return Err(LatentError::TruncatedLayers {
                found: layers,
                total: total_layers,
            });
        }
        if self.psi.total_cmp(&1.0).is_eq() {
            return Ok(w.clone());
        }
        let truncated = if layers == total_layers {
            w.clone()
        } else {
            w.broadcast(total_layers)?
        };
        let mut values = truncated.values().mapv(f64::from);
        for mut row in values.rows_mut().into_iter().take(layers) {
            for (value, &average) in row.iter_mut().zip(w_avg) {
                let average = f64::from(average);
                *value = average + self.psi * (*value - average);
            }
        }
        Ok(LatentCode::rounded(truncated.space(), &values)?.with_label(w.label().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn w() -> LatentCode {
        LatentCode::from_row(LatentSpace::W, vec![3.0, -0.0]).unwrap()
    }

    #[test]
    fn psi_one_half_gives_the_middle_between_the_code_and_the_average() {
        let truncated = Truncation::new(0.5, None)
            .unwrap()
            .apply(&w(), &[1.0, 1.0], 3)
            .unwrap();
        assert_eq!(
            truncated,
            LatentCode::from_row(LatentSpace::W, vec![2.0, 0.5]).unwrap()
        );
    }

    #[test]
    fn truncation_of_the_first_layers_keeps_the_others() {
        let truncated = Truncation::new(0.5, Some(2))
            .unwrap()
            .apply(&w(), &[1.0, 1.0], 3)
            .unwrap();
        assert_eq!(truncated.space(), LatentSpace::WPlus);
        assert_eq!(truncated.values(), array![[2.0, 0.5], [2.0, 0.5], [3.0, 0.0]]);
    }

    #[test]
    fn psi_one_keeps_every_bit() {
        let kept = Truncation::new(1.0, Some(1))
            .unwrap()
            .apply(&w(), &[1.0e30, 1.0], 3)
            .unwrap();
        assert_eq!(kept, w());
        assert!(kept.values()[[0, 1]].is_sign_negative());
    }

    #[test]
    fn wrong_arguments_are_refused() {
        assert!(matches!(
            Truncation::new(f64::NAN, None),
            Err(LatentError::Psi { .. })
        ));
        assert_eq!(Truncation::new(70.0, None), Err(LatentError::Psi { found: 70.0 }));
        let truncation = Truncation::new(0.7, Some(4)).unwrap();
        let refused = truncation.apply(&w(), &[0.0, 0.0], 3).unwrap_err();
        assert_eq!(refused, LatentError::TruncatedLayers { found: 4, total: 3 });
        let refused = truncation.apply(&w(), &[0.0], 4).unwrap_err();
        assert_eq!(
            refused,
            LatentError::AverageSize {
                found: 1,
                expected: 2
            }
        );
        let z = LatentCode::from_row(LatentSpace::Z, vec![1.0, 2.0]).unwrap();
        let refused = truncation.apply(&z, &[0.0, 0.0], 4).unwrap_err();
        assert_eq!(
            refused,
            LatentError::NotTruncatable {
                found: LatentSpace::Z
            }
        );
    }
}
