//! How near one picture is to another.

use super::Picture;

/// Errors of a picture against another of the same size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Mean square error of the levels, black being 0 and white 1.
    pub mse: f64,
    /// Peak signal-to-noise ratio 10 log₁₀(1 / mse) in dB; 100 where the error is below 10⁻¹⁰.
    pub psnr: f64,
    /// Structural similarity of the luma, −1 to 1, with the paper's 11 × 11 Gaussian window (σ = 1.5).
    ///
    /// Source: Wang et al., *Image Quality Assessment: From Error Visibility to Structural Similarity* (2004).
    pub ssim: f64,
}

/// Pixels on either side of the window's middle.
const REACH: usize = 5;
const SIGMA: f64 = 1.5;

impl Similarity {
    /// Compares two pictures of one size.
    ///
    /// # Panics
    /// Where their sizes differ.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a picture has fewer than 2⁵³ bytes")]
    pub fn of(one: &Picture, other: &Picture) -> Self {
        assert_eq!(
            (one.width(), one.height()),
            (other.width(), other.height()),
            "pictures of one size are compared"
        );
        let pairs = one.rgb().iter().zip(other.rgb());
        let squares: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
        let mse = squares as f64 / (255.0 * 255.0 * one.rgb().len() as f64);
        Self {
            mse,
            psnr: -10.0 * mse.max(1e-10).log10(),
            ssim: ssim(one, other),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture has fewer than 2⁵³ pixels")]
fn ssim(one: &Picture, other: &Picture) -> f64 {
    let (width, height) = (one.width(), one.height());
    let (a, b) = (luma(one), luma(other));
    let product = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x * y).collect() };
    let blurred = |plane: Vec<f64>| blur(&plane, width, height);
    let (aa, bb, ab) = (
        blurred(product(&a, &a)),
        blurred(product(&b, &b)),
        blurred(product(&a, &b)),
    );
    let (a, b) = (blurred(a), blurred(b));
    let (first, second) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    let each = (0..a.len()).map(|place| {
        let (mean_a, mean_b) = (a[place], b[place]);
        let variances = aa[place] - mean_a * mean_a + bb[place] - mean_b * mean_b;
        let covariance = ab[place] - mean_a * mean_b;
        (2.0 * mean_a * mean_b + first) * (2.0 * covariance + second)
            / ((mean_a * mean_a + mean_b * mean_b + first) * (variances + second))
    });
    each.sum::<f64>() / a.len() as f64
}

/// Luma by ITU-R BT.601, 0 to 1.
fn luma(picture: &Picture) -> Vec<f64> {
    let weigh = |pixel: &[u8]| {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0
    };
    picture.rgb().chunks_exact(3).map(weigh).collect()
}

/// Means under the window; at the edge, under the part of it that lies in the picture.
///
/// Each row of the sums is made of whole rows: the columns first, for rows lie side by side, and the rows by a turned
/// picture.
fn blur(plane: &[f64], width: usize, height: usize) -> Vec<f64> {
    let down = blur_down(plane, width, height);
    turned(&blur_down(&turned(&down, width), height, width), height)
}

/// Means along the columns of a plane of rows of `width`.
fn blur_down(plane: &[f64], width: usize, height: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "at most the window's reach")]
    let weights: [f64; REACH + 1] =
        std::array::from_fn(|distance| (-((distance * distance) as f64) / (2.0 * SIGMA * SIGMA)).exp());
    let mut means = vec![0.0; plane.len()];
    for (at, row) in means.chunks_exact_mut(width).enumerate() {
        let near = at.saturating_sub(REACH)..=(at + REACH).min(height - 1);
        let total: f64 = near.clone().map(|other| weights[other.abs_diff(at)]).sum();
        for other in near {
            let weight = weights[other.abs_diff(at)] / total;
            let values = &plane[other * width..][..width];
            for (mean, value) in row.iter_mut().zip(values) {
                *mean += weight * value;
            }
        }
    }
    means
}

/// A plane of rows of `width` with rows for columns.
fn turned(plane: &[f64], width: usize) -> Vec<f64> {
    let column = |column: usize| plane[column..].iter().step_by(width);
    (0..width).flat_map(column).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(shift: u8) -> Picture {
        let level = |place: usize| u8::try_from(place * place % 200).unwrap() + shift;
        Picture::from_rgb(24, 16, (0..24 * 16 * 3).map(level).collect())
    }

    #[test]
    fn a_picture_is_wholly_similar_to_itself() {
        let same = Similarity::of(&waves(0), &waves(0));
        assert_eq!((same.mse, same.psnr), (0.0, 100.0));
        assert!((same.ssim - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_shift_of_every_level_is_its_square() {
        let shifted = Similarity::of(&waves(0), &waves(51));
        assert!((shifted.mse - 0.04).abs() < 1e-12);
        assert!((shifted.psnr - 13.979_400_086_720_377).abs() < 1e-9);
        assert!(shifted.ssim > 0.5 && shifted.ssim < 1.0, "{}", shifted.ssim);
    }

    #[test]
    fn black_and_white_have_nothing_in_common() {
        let black = Picture::from_rgb(8, 8, vec![0; 192]);
        let white = Picture::blank(8, 8);
        let unlike = Similarity::of(&black, &white);
        assert_eq!((unlike.mse, unlike.psnr), (1.0, 0.0));
        assert!(unlike.ssim < 1e-3);
    }
}
