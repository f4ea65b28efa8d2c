//! How similar two images are.

use crate::imaging::Image;

/// The similarity of two images of the same size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Mean square error of the levels, with black 0 and white 1.
    pub mse: f64,
    /// Peak signal-to-noise ratio 10 log₁₀(1 / mse) in dB; 100 if the error is below 10⁻¹⁰.
    pub psnr: f64,
    /// Structural similarity of the luma, −1 to 1, with the paper's 11 × 11 Gaussian window (σ = 1.5).
    ///
    /// Source: Wang et al., *Image Quality Assessment: From Error Visibility to Structural Similarity* (2004).
    pub ssim: f64,
}

/// Pixels on each side of the window's centre.
const RADIUS: usize = 5;
/// Standard deviation of the window, in pixels.
const SIGMA: f64 = 1.5;

impl Similarity {
    /// Compares two images.
    ///
    /// # Panics
    /// If their sizes differ.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an image has fewer than 2⁵³ bytes")]
    pub fn of(one: &Image, other: &Image) -> Self {
        assert_eq!(
            (one.width(), one.height()),
            (other.width(), other.height()),
            "the images must have the same size"
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

#[expect(clippy::cast_precision_loss, reason = "an image has fewer than 2⁵³ pixels")]
fn ssim(one: &Image, other: &Image) -> f64 {
    let (width, height) = (one.width(), one.height());
    let (a, b) = (luma(one), luma(other));
    let product = |x: &[f64], y: &[f64]| -> Vec<f64> { x.iter().zip(y).map(|(x, y)| x * y).collect() };
    let blurred = |values: Vec<f64>| blur(&values, width, height);
    let (aa, bb, ab) = (
        blurred(product(&a, &a)),
        blurred(product(&b, &b)),
        blurred(product(&a, &b)),
    );
    let (a, b) = (blurred(a), blurred(b));
    let (first, second) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    let each = (0..a.len()).map(|index| {
        let (mean_a, mean_b) = (a[index], b[index]);
        let variances = aa[index] - mean_a * mean_a + bb[index] - mean_b * mean_b;
        let covariance = ab[index] - mean_a * mean_b;
        (2.0 * mean_a * mean_b + first) * (2.0 * covariance + second)
            / ((mean_a * mean_a + mean_b * mean_b + first) * (variances + second))
    });
    each.sum::<f64>() / a.len() as f64
}

/// Luma by ITU-R BT.601, from 0 to 1.
fn luma(image: &Image) -> Vec<f64> {
    let weigh = |pixel: &[u8]| {
        let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0
    };
    image.rgb().chunks_exact(3).map(weigh).collect()
}

/// Weighted means under the window; at the edge, only the part of the window inside the image counts.
///
/// Columns are processed first, then rows as columns of the transposed channel, because memory holds whole rows.
fn blur(channel: &[f64], width: usize, height: usize) -> Vec<f64> {
    let down = blur_columns(channel, width, height);
    transposed(&blur_columns(&transposed(&down, width), height, width), height)
}

/// Weighted means along the columns of a channel with rows of `width`.
fn blur_columns(channel: &[f64], width: usize, height: usize) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "at most the radius of the window")]
    let weights: [f64; RADIUS + 1] =
        std::array::from_fn(|distance| (-((distance * distance) as f64) / (2.0 * SIGMA * SIGMA)).exp());
    let mut means = vec![0.0; channel.len()];
    for (at, row) in means.chunks_exact_mut(width).enumerate() {
        let near = at.saturating_sub(RADIUS)..=(at + RADIUS).min(height - 1);
        let total: f64 = near.clone().map(|other| weights[other.abs_diff(at)]).sum();
        for other in near {
            let weight = weights[other.abs_diff(at)] / total;
            let values = &channel[other * width..][..width];
            for (mean, value) in row.iter_mut().zip(values) {
                *mean += weight * value;
            }
        }
    }
    means
}

/// The transpose of a channel with rows of `width`.
fn transposed(channel: &[f64], width: usize) -> Vec<f64> {
    let column = |column: usize| channel[column..].iter().step_by(width);
    (0..width).flat_map(column).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(shift: u8) -> Image {
        let level = |index: usize| u8::try_from(index * index % 200).unwrap() + shift;
        Image::from_rgb(24, 16, (0..24 * 16 * 3).map(level).collect())
    }

    #[test]
    fn an_image_has_the_greatest_similarity_to_itself() {
        let same = Similarity::of(&waves(0), &waves(0));
        assert_eq!((same.mse, same.psnr), (0.0, 100.0));
        assert!((same.ssim - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_shift_of_every_level_has_its_square_as_error() {
        let shifted = Similarity::of(&waves(0), &waves(51));
        assert!((shifted.mse - 0.04).abs() < 1e-12);
        assert!((shifted.psnr - 13.979_400_086_720_377).abs() < 1e-9);
        assert!(shifted.ssim > 0.5 && shifted.ssim < 1.0, "{}", shifted.ssim);
    }

    #[test]
    fn black_and_white_have_no_similarity() {
        let black = Image::from_rgb(8, 8, vec![0; 192]);
        let white = Image::white(8, 8);
        let similarity = Similarity::of(&black, &white);
        assert_eq!((similarity.mse, similarity.psnr), (1.0, 0.0));
        assert!(similarity.ssim < 1e-3);
    }
}
