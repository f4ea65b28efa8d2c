//! The pull of a w code towards the average one.

use crate::latent::{LatentCode, LatentError, LatentSpace};

/// Truncation of w codes: w̄ + ψ (w − w̄), on all layers or on the first few.
///
/// It belongs to mapping, from z to w. Codes that are given in w or w+ are synthesized as they are; the
/// reference truncates w codes after an edit, which moves them off the distance that the edit promised.
///
/// Source: Karras et al., *A Style-Based Generator Architecture for GANs* (CVPR 2019), appendix B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncation {
    psi: f64,
    layers: Option<usize>,
}

impl Truncation {
    /// Truncation by `psi` on the first `layers` layers, on all where it names none.
    ///
    /// `psi` lies from −2 to 2: 1 is none, 0 is the average, below 0 is the opposite of the face (the paper
    /// shows −1) and above 1 a caricature. Beyond that pictures fall apart, and 70 for 0.7 is a slip worth
    /// catching.
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

    /// How much of the way from the average is kept.
    #[must_use]
    pub fn psi(&self) -> f64 {
        self.psi
    }

    /// How many of the first layers are truncated; all where it is `None`.
    #[must_use]
    pub fn layers(&self) -> Option<usize> {
        self.layers
    }

    /// `w` truncated towards `w_avg`, which has the shape \[dim\], for a model of `total_layers` layers.
    ///
    /// Truncated on all layers it stays a w code; on fewer, it becomes a w+ code of `total_layers` layers.
    /// Computed in `f64` and rounded once; with psi 1 it is `w` itself, bit for bit.
    ///
    /// # Errors
    ///
    /// [`LatentError::NotTruncated`] for a z or a w+ code, [`LatentError::AverageSize`] for an average of
    /// another size, [`LatentError::TruncatedLayers`] for 0 layers or more than `total_layers`, and
    /// [`LatentError::NotFinite`] for an average that is not finite.
    pub fn apply(
        &self,
        w: &LatentCode,
        w_avg: &[f32],
        total_layers: usize,
    ) -> Result<LatentCode, LatentError> {
        if w.space() != LatentSpace::W {
            return Err(LatentError::NotTruncated { found: w.space() });
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
        let whole = if layers == total_layers {
            w.clone()
        } else {
            w.broadcast(total_layers)?
        };
        let mut values = whole.values().mapv(f64::from);
        for mut row in values.rows_mut().into_iter().take(layers) {
            for (value, &average) in row.iter_mut().zip(w_avg) {
                let average = f64::from(average);
                *value = average + self.psi * (*value - average);
            }
        }
        LatentCode::rounded(whole.space(), &values)
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
    fn half_truncation_goes_half_the_way_to_the_average() {
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
    fn truncation_of_the_first_layers_leaves_the_others() {
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
    fn what_cannot_be_truncated_is_refused() {
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
            LatentError::NotTruncated {
                found: LatentSpace::Z
            }
        );
    }
}
