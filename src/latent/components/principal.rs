//! Principal components of latent codes: Härkönen et al., *GANSpace: Discovering Interpretable GAN Controls* (NeurIPS 2020).

use ndarray::{Array1, Array2, ArrayView2};

use crate::latent::components::component::{Component, largest};
use crate::latent::linear_algebra::code_rows::CodeRows;

/// The directions along which `codes` `[samples, dim]`, in row-major order, vary most: at most `count`, from the largest
/// variance; and the mean of the codes. The eigenvalue is the variance, with division by the samples less 1.
#[must_use]
pub fn principal_components(codes: ArrayView2<'_, f32>, count: usize) -> (Vec<Component>, Array1<f64>) {
    let all: Vec<_> = (0..codes.nrows()).collect();
    let rows = CodeRows {
        codes,
        selected: &all,
    };
    let mean = rows.mean(&all);
    if all.len() < 2 {
        return (Vec::new(), mean);
    }
    #[expect(clippy::cast_precision_loss, reason = "no machine holds 2^53 codes")]
    let factor = 1.0 / (all.len() - 1) as f64;
    let mut covariance = Array2::zeros((codes.ncols(), codes.ncols()));
    rows.add_scatter(&all, &mean, factor, &mut covariance);
    (largest(covariance, count), mean)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::principal_components;

    #[test]
    fn components_equal_those_of_numpy() {
        let codes = array![
            [1.0_f32, 2.0, -1.0],
            [0.5, 3.0, 0.0],
            [1.0, 1.0, -2.0],
            [0.0, 1.0, 2.0],
            [-1.0, 0.25, 5.0]
        ];
        let (found, mean) = principal_components(codes.view(), 2);
        assert!((mean[1] - 1.45).abs() < 1e-12, "{mean}");
        let expected = [
            (
                8.774_334_759_87,
                0.919_982_674_69,
                array![-0.280_292_456_64, -0.219_416_489_11, 0.934_501_226_89],
            ),
            (
                0.752_231_244_05,
                0.078_870_903_7,
                array![-0.027_957_213_98, 0.974_978_335_94, 0.220_534_892_1],
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
    fn one_code_has_no_components() {
        assert!(
            principal_components(array![[1.0_f32, 2.0]].view(), 3)
                .0
                .is_empty()
        );
    }
}
