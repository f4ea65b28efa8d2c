//! FFHQ's alignment: a photograph is rotated, cropped and scaled by its landmarks, so that the face has the position that it has in
//! a generator's images.
//!
//! Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks" (2019), with the constants of the
//! program that made the data set.

use std::array;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use crate::imaging::framing::mirror_padding::padded;
use crate::imaging::framing::rotated_square::{Point, RotatedSquare};
use crate::imaging::rounding::{to_level, to_pixels};
use crate::imaging::{Image, Landmarks, LandmarksError};

/// Position of the face in a model's images, relative to FFHQ's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// Side of an image, in sides of FFHQ's square.
    pub side: f64,
    /// Distance of the image's centre below the centre of FFHQ's square, in sides of the image.
    pub down: f64,
}

impl Default for Alignment {
    /// FFHQ's own position.
    fn default() -> Self {
        Self { side: 1.0, down: 0.0 }
    }
}

impl Alignment {
    /// The model's square for FFHQ's `square`.
    fn of(self, square: RotatedSquare) -> RotatedSquare {
        let [x, y] = [square.x, square.y].map(|half| half.map(|value| value * self.side));
        let centre = array::from_fn(|axis| square.centre[axis] + 2.0 * self.down * y[axis]);
        RotatedSquare { centre, x, y }
    }
}

/// The face with `landmarks` in `image`, with the position of `alignment`, as an image of `width` × `height` pixels.
///
/// Outside of `image`, its mirror image is used, blurred and faded to the median colour with the distance, as in FFHQ.
///
/// # Errors
/// [`LandmarksError`] if the landmarks do not fit `image`.
pub(super) fn align(
    image: &Image,
    landmarks: &Landmarks,
    alignment: Alignment,
    width: usize,
    height: usize,
) -> Result<Image, LandmarksError> {
    let (own_width, own_height) = (image.width(), image.height());
    let square = alignment.of(landmarks.square(own_width, own_height)?);
    // Only the square and a border are processed.
    let border = (0.1 * square.side()).round().max(3.0);
    let [least, greatest] = square.bounds();
    let start: [u32; 2] = array::from_fn(|axis| to_pixels(least[axis] - border));
    let own = image.sides();
    let size: [u32; 2] = array::from_fn(|axis| {
        let end = to_pixels((greatest[axis] + border).ceil()).min(own[axis]);
        end.saturating_sub(start[axis])
    });
    if size.contains(&0) {
        return Err(landmarks.outside(own_width, own_height));
    }
    // Shrunk to at most two pixels per pixel of the result, along each side.
    let largest = u32::try_from(width.max(height)).expect("the sides of an image are below 2³²");
    let scale = (2.0 * f64::from(largest) / square.side()).min(1.0);
    // A side of less than a pixel would be padded to a large square.
    if size.iter().any(|&side| f64::from(side) * scale < 1.0) {
        return Err(LandmarksError::TooThin {
            width: own_width,
            height: own_height,
        });
    }
    let shrunk = size.map(|side| to_pixels((f64::from(side) * scale).round()).max(1));
    let part = if shrunk == size {
        image.part(start, size)
    } else {
        let image = image.as_rgb_image();
        let part = crop_imm(&image, start[0], start[1], size[0], size[1]);
        resize(&*part, shrunk[0], shrunk[1], FilterType::Lanczos3)
    };
    let square = square.transformed(
        start.map(|start| -f64::from(start)),
        array::from_fn(|axis| f64::from(shrunk[axis]) / f64::from(size[axis])),
    );
    let (part, square) = padded(part, square);
    Ok(sampled(&part, square, width, height))
}

/// The pixels of the square, each a mean of as many samples as it covers pixels of `part`.
fn sampled(part: &RgbImage, square: RotatedSquare, width: usize, height: usize) -> Image {
    let largest = width.max(height);
    #[expect(clippy::cast_precision_loss, reason = "sides of an image")]
    let (sides, largest) = ([width as f64, height as f64], largest as f64);
    let count = to_pixels((square.side() / largest - 0.01).ceil().max(1.0));
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in 0..height {
        for column in 0..width {
            let mut sum = [0.0; 3];
            for (step_x, step_y) in (0..count).flat_map(|x| (0..count).map(move |y| (x, y))) {
                #[expect(clippy::cast_precision_loss, reason = "sides of an image")]
                let position = |index: usize, step: u32, axis: usize| {
                    let along = index as f64 + (f64::from(step) + 0.5) / f64::from(count);
                    // An image that is not square gets the centre of the square.
                    0.5 + (along - sides[axis] / 2.0) / largest
                };
                let at = square.at(position(column, step_x, 0), position(row, step_y, 1));
                for (sum, level) in sum.iter_mut().zip(interpolated(part, at)) {
                    *sum += level;
                }
            }
            rgb.extend(sum.map(|sum| to_level(sum / f64::from(count * count))));
        }
    }
    Image::from_rgb(width, height, rgb)
}

/// The levels of `image` at `point`, interpolated linearly between the centres of the pixels.
fn interpolated(image: &RgbImage, point: Point) -> [f64; 3] {
    let sides = [image.width(), image.height()];
    let point: Point = array::from_fn(|axis| (point[axis] - 0.5).clamp(0.0, f64::from(sides[axis] - 1)));
    let first = point.map(to_pixels);
    let share: Point = array::from_fn(|axis| point[axis] - f64::from(first[axis]));
    let second: [u32; 2] = array::from_fn(|axis| (first[axis] + 1).min(sides[axis] - 1));
    let pixel = |x: u32, y: u32| image.get_pixel(x, y).0.map(f64::from);
    let (top, bottom) = (
        [pixel(first[0], first[1]), pixel(second[0], first[1])],
        [pixel(first[0], second[1]), pixel(second[0], second[1])],
    );
    array::from_fn(|channel| {
        let along = |row: [[f64; 3]; 2]| row[0][channel] * (1.0 - share[0]) + row[1][channel] * share[0];
        along(top) * (1.0 - share[1]) + along(bottom) * share[1]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eyes at the same height, 20 pixels apart, the mouth 20 below: FFHQ's square has the side 80 and the centre (50, 52).
    const UPRIGHT: [Point; 5] = [
        [40.0, 50.0],
        [60.0, 50.0],
        [50.0, 60.0],
        [44.0, 70.0],
        [56.0, 70.0],
    ];

    /// A smooth image in which all pixels differ.
    fn hills(width: usize, height: usize) -> Image {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let level = |index: usize| {
            let (x, y) = ((index / 3 % width) as f64, (index / 3 / width) as f64);
            let frequency = [0.05, 0.07, 0.04][index % 3];
            to_level(127.5 + 60.0 * (frequency * x).sin() + 60.0 * (0.06 * y + frequency).cos())
        };
        Image::from_rgb(width, height, (0..3 * width * height).map(level).collect())
    }

    fn aligned(image: Image, points: &[Point], side: usize) -> Image {
        let landmarks = Landmarks::new(points).unwrap();
        align(&image, &landmarks, Alignment::default(), side, side).unwrap()
    }

    fn level(image: &Image, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * image.width() + x);
        image.rgb()[at..at + 3].try_into().unwrap()
    }

    fn largest_difference(a: &Image, b: &Image) -> u8 {
        a.rgb()
            .iter()
            .zip(b.rgb())
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap()
    }

    #[test]
    fn an_upright_face_is_cropped_as_in_ffhq() {
        let image = hills(100, 100);
        let face = aligned(image.clone(), &UPRIGHT, 80);
        for (x, y) in [(0, 0), (79, 79), (17, 60)] {
            assert_eq!(level(&face, x, y), level(&image, 10 + x, 12 + y), "{x}, {y}");
        }
    }

    #[test]
    fn a_rotated_image_gives_the_same_face() {
        let upright = hills(100, 100);
        // Pixel (x, y) moves to (99 − y, x), and point (x, y) to (100 − y, x).
        let rotated = (0..100 * 100).flat_map(|at| level(&upright, at / 100, 99 - at % 100));
        let rotated = Image::from_rgb(100, 100, rotated.collect());
        let points = UPRIGHT.map(|[x, y]| [100.0 - y, x]);
        let (one, other) = (aligned(upright, &UPRIGHT, 80), aligned(rotated, &points, 80));
        assert!(
            largest_difference(&one, &other) <= 1,
            "{}",
            largest_difference(&one, &other)
        );
    }

    #[test]
    fn an_enlarged_image_gives_the_same_face() {
        let small = hills(100, 100);
        let large = (0..400 * 400).flat_map(|at| level(&small, at % 400 / 4, at / 400 / 4));
        let large = Image::from_rgb(400, 400, large.collect());
        let points = UPRIGHT.map(|point| point.map(|value| 4.0 * value));
        let (one, other) = (aligned(small, &UPRIGHT, 40), aligned(large, &points, 40));
        assert!(
            largest_difference(&one, &other) <= 3,
            "{}",
            largest_difference(&one, &other)
        );
    }

    #[test]
    fn the_outside_continues_the_edge_of_the_image() {
        let flat = Image::from_rgb(60, 80, [40, 90, 200].repeat(60 * 80));
        let points = UPRIGHT.map(|[x, y]| [x - 38.0, y]);
        let face = aligned(flat, &points, 64);
        assert!(face.rgb().chunks(3).all(|pixel| pixel == [40, 90, 200]));
        let face = aligned(hills(60, 80), &points, 80);
        // Inside and away from the blur, pixels are unchanged: the square begins at (−28, 12).
        assert_eq!(level(&face, 60, 40), level(&hills(60, 80), 32, 52));
    }

    #[test]
    fn an_alignment_can_show_more_around_the_face() {
        let image = hills(200, 200);
        let points = UPRIGHT.map(|point| point.map(|value| value + 50.0));
        let landmarks = Landmarks::new(&points).unwrap();
        let alignment = Alignment { side: 1.5, down: 0.1 };
        let face = align(&image, &landmarks, alignment, 120, 120).unwrap();
        // The side is 120, the centre (100, 102 + 12).
        assert_eq!(level(&face, 0, 0), level(&image, 40, 54));
        assert_eq!(level(&face, 119, 119), level(&image, 159, 173));
    }

    #[test]
    fn an_image_of_one_line_of_pixels_is_refused_before_padding() {
        for (width, height) in [(1_000_000, 1), (1, 1_000_000)] {
            let line = Image::from_rgb(width, height, vec![0; 3 * width * height]);
            let at = |share: f64| {
                if height == 1 {
                    [share * 1e6, 0.5]
                } else {
                    [0.5, share * 1e6]
                }
            };
            let landmarks = Landmarks::new(&[0.0, 1.0, 0.5, 0.4, 0.6].map(at)).unwrap();
            let refused = align(&line, &landmarks, Alignment::default(), 16, 16).unwrap_err();
            assert!(matches!(refused, LandmarksError::TooThin { .. }), "{refused}");
        }
    }
}
