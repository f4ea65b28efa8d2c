//! Closed-form factorization of a generator's weights: Shen and Zhou, *Closed-Form Factorization of Latent Semantics in GANs*
//! (CVPR 2021), "SeFa".

use ndarray::{Array2, ArrayView2, Axis};

use crate::latent::components::component::{Component, largest};

/// The directions in latent space along which the layers that take the code change most, at most `count`, from the largest
/// change.
///
/// `weights` `[dim, outputs]` has the matrices that a code is multiplied with, one beside the other. With A = `weights`ᵀ, a step n
/// changes the layers' outputs by A n, and the unit vectors with the largest `‖A n‖²` are the eigenvectors of `AᵀA`. As in the
/// paper's program, each row of A is first divided by its norm. Rows of zeros count for nothing.
#[must_use]
pub fn sefa(weights: ArrayView2<'_, f32>, count: usize) -> Vec<Component> {
    let mut unit: Array2<f64> = weights.mapv(f64::from).as_standard_layout().into_owned();
    let mut norms = unit.map_axis(Axis(0), |column| column.dot(&column).sqrt());
    norms.mapv_inplace(|norm| if norm > 0.0 { norm } else { 1.0 });
    unit /= &norms;
    largest(unit.dot(&unit.t()), count)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::sefa;

    #[test]
    fn directions_equal_those_of_numpy() {
        let weights = array![
            [1.0_f32, 2.0, -1.0, 0.5, 3.0],
            [0.0, 1.0, 1.0, -2.0, 1.0],
            [2.0, -1.0, 0.0, 1.0, 0.25]
        ];
        let found = sefa(weights.view(), 2);
        let expected = [
            (
                2.393_651_415_1,
                0.478_730_283_02,
                array![0.932_548_063_67, -0.231_081_988_09, 0.277_408_045_54],
            ),
            (
                1.831_077_219_61,
                0.366_215_443_92,
                array![0.345_465_618_23, 0.794_382_365_07, -0.499_610_012_59],
            ),
        ];
        assert_eq!(found.len(), 2);
        for (found, (eigenvalue, share, direction)) in found.iter().zip(expected) {
            assert!((found.eigenvalue - eigenvalue).abs() < 1e-10, "{found:?}");
            assert!((found.share - share).abs() < 1e-10, "{found:?}");
            let apart = &found.direction - &direction;
            assert!(apart.iter().all(|apart| apart.abs() < 1e-10), "{found:?}");
        }
    }

    #[test]
    fn a_layer_of_zeros_counts_for_nothing() {
        let weights = array![[3.0_f32, 0.0], [4.0, 0.0]];
        let found = sefa(weights.view(), 5);
        assert_eq!(found.len(), 1);
        assert!(
            (&found[0].direction - &array![0.6, 0.8])
                .iter()
                .all(|apart| apart.abs() < 1e-15)
        );
        assert!((found[0].share - 1.0).abs() < 1e-15);
        assert!(sefa(Array2::zeros((2, 3)).view(), 5).is_empty());
    }
}
