//! Padding around an image: its mirror image, blurred and faded to the median colour with the distance, as in FFHQ.

use std::array;

use image::imageops::fast_blur;
use image::{Rgb, RgbImage};

use crate::imaging::framing::rotated_square::RotatedSquare;
use crate::imaging::rounding::{to_level, to_pixels};

/// `part` with padding wherever `square` reaches outside of it, and the square in the coordinates of the result.
pub(super) fn padded(part: RgbImage, square: RotatedSquare) -> (RgbImage, RotatedSquare) {
    let size = [part.width(), part.height()];
    let [least, greatest] = square.bounds();
    let within = |axis: usize| least[axis] >= 1.0 && greatest[axis] <= f64::from(size[axis]) - 1.0;
    if within(0) && within(1) {
        return (part, square);
    }
    let least_pad = (0.3 * square.side()).round().max(1.0);
    let before: [u32; 2] = array::from_fn(|axis| to_pixels((-least[axis]).ceil().max(least_pad)));
    let after: [u32; 2] =
        array::from_fn(|axis| to_pixels((greatest[axis] - f64::from(size[axis])).ceil().max(least_pad)));
    let padded_side = |axis: usize| before[axis] + size[axis] + after[axis];
    let mut around = RgbImage::from_fn(padded_side(0), padded_side(1), |x, y| {
        *part.get_pixel(mirrored(x, before[0], size[0]), mirrored(y, before[1], size[1]))
    });
    // 1 at the outer edge, 0 at the edge of `part`, negative inside.
    let outside = |at: u32, axis: usize| {
        let (at, end) = (f64::from(at), f64::from(padded_side(axis) - 1));
        1.0 - (at / f64::from(before[axis])).min((end - at) / f64::from(after[axis]))
    };
    #[expect(clippy::cast_possible_truncation, reason = "f32 is precise enough for a blur")]
    let blurred = fast_blur(&around, (0.02 * square.side()) as f32);
    blend(
        &mut around,
        &outside,
        |mask| 3.0 * mask + 1.0,
        |x, y| *blurred.get_pixel(x, y),
    );
    let median = median(&around);
    blend(&mut around, &outside, |mask| mask, |_, _| median);
    let square = square.transformed(before.map(f64::from), [1.0, 1.0]);
    (around, square)
}

/// Blends the pixels `other` into `image`, with a `weight` of how far outside a pixel is.
fn blend(
    image: &mut RgbImage,
    outside: &impl Fn(u32, usize) -> f64,
    weight: impl Fn(f64) -> f64,
    other: impl Fn(u32, u32) -> Rgb<u8>,
) {
    let rows: Vec<f64> = (0..image.height()).map(|y| outside(y, 1)).collect();
    let columns: Vec<f64> = (0..image.width()).map(|x| outside(x, 0)).collect();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let share = weight(columns[x as usize].max(rows[y as usize])).clamp(0.0, 1.0);
        if share > 0.0 {
            let other = other(x, y);
            for (level, other) in pixel.0.iter_mut().zip(other.0) {
                *level = to_level(f64::from(*level) * (1.0 - share) + f64::from(other) * share);
            }
        }
    }
}

/// The median of each channel.
fn median(image: &RgbImage) -> Rgb<u8> {
    let mut counts = [[0_u64; 256]; 3];
    for pixel in image.pixels() {
        for (counts, &level) in counts.iter_mut().zip(&pixel.0) {
            counts[usize::from(level)] += 1;
        }
    }
    let half = u64::from(image.width()) * u64::from(image.height()) / 2;
    Rgb(counts.map(|counts| {
        let mut below = 0;
        (0..=255)
            .zip(counts)
            .find(|&(_, count)| {
                below += count;
                below > half
            })
            .map_or(255, |(level, _)| level)
    }))
}

/// The pixel in a row of `length` pixels that is mirrored to `index` of the padded row, which has `before` pixels of
/// padding first.
fn mirrored(index: u32, before: u32, length: u32) -> u32 {
    let period = i64::from(2 * length.saturating_sub(1)).max(1);
    let index = (i64::from(index) - i64::from(before)).rem_euclid(period);
    let index = index.min(period - index).min(i64::from(length) - 1);
    u32::try_from(index).expect("the index is in the row")
}
