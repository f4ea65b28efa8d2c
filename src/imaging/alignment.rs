//! FFHQ's alignment: a photograph turned, cut and scaled by its landmarks, so that the face stands where generators drew theirs.
//!
//! Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks" (2019), with the numbers of the
//! program that made the data set.

use std::array;

use image::RgbImage;
use image::imageops::{FilterType, crop_imm, resize};

use super::level::{level_of, whole};
use super::padding::padded;
use super::square::{Point, Square};
use super::{Landmarks, LandmarksError, Picture};

/// Where a model's pictures have the face, beside FFHQ's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// The side of a picture, in sides of FFHQ's.
    pub side: f64,
    /// How far the picture's middle lies below FFHQ's, in its own sides.
    pub down: f64,
}

impl Default for Alignment {
    /// FFHQ's own.
    fn default() -> Self {
        Self { side: 1.0, down: 0.0 }
    }
}

impl Alignment {
    /// The model's square, where FFHQ's is `square`.
    fn of(self, square: Square) -> Square {
        let [x, y] = [square.x, square.y].map(|half| half.map(|value| value * self.side));
        let centre = array::from_fn(|axis| square.centre[axis] + 2.0 * self.down * y[axis]);
        Square { centre, x, y }
    }
}

/// The face of `picture` that `landmarks` mark, `width` × `height` pixels large, as `alignment` says.
///
/// What lies outside of the picture is its mirror image, more and more blurred and faded to the median colour, as FFHQ pads.
///
/// # Errors
/// [`LandmarksError`] where the landmarks do not fit the picture.
pub(super) fn align(
    picture: &Picture,
    landmarks: &Landmarks,
    alignment: Alignment,
    width: usize,
    height: usize,
) -> Result<Picture, LandmarksError> {
    let (own_width, own_height) = (picture.width(), picture.height());
    let square = alignment.of(landmarks.square(own_width, own_height)?);
    // No more of the picture than the square and a border.
    let border = (0.1 * square.side()).round().max(3.0);
    let [least, greatest] = square.bounds();
    let start: [u32; 2] = array::from_fn(|axis| whole(least[axis] - border));
    let own = picture.sides();
    let size: [u32; 2] = array::from_fn(|axis| {
        let end = whole((greatest[axis] + border).ceil()).min(own[axis]);
        end.saturating_sub(start[axis])
    });
    if size.contains(&0) {
        return Err(landmarks.outside(own_width, own_height));
    }
    // At most two of its pixels for one of the result's, a side.
    let largest = u32::try_from(width.max(height)).expect("a picture's sides are below 2³²");
    let scale = (2.0 * f64::from(largest) / square.side()).min(1.0);
    // A line of pixels would be padded to a square of its length, unshrunk.
    if size.iter().any(|&side| f64::from(side) * scale < 1.0) {
        return Err(LandmarksError::Thin {
            width: own_width,
            height: own_height,
        });
    }
    let shrunk = size.map(|side| whole((f64::from(side) * scale).round()).max(1));
    let part = if shrunk == size {
        picture.part(start, size)
    } else {
        let image = picture.image();
        let part = crop_imm(&image, start[0], start[1], size[0], size[1]);
        resize(&*part, shrunk[0], shrunk[1], FilterType::Lanczos3)
    };
    let square = square.moved(
        start.map(|start| -f64::from(start)),
        array::from_fn(|axis| f64::from(shrunk[axis]) / f64::from(size[axis])),
    );
    let (part, square) = padded(part, square);
    Ok(sampled(&part, square, width, height))
}

/// The square's pixels, each the mean of as many places as it covers pixels of the part.
fn sampled(part: &RgbImage, square: Square, width: usize, height: usize) -> Picture {
    let largest = width.max(height);
    #[expect(clippy::cast_precision_loss, reason = "a picture's sides")]
    let (sides, largest) = ([width as f64, height as f64], largest as f64);
    let count = whole((square.side() / largest - 0.01).ceil().max(1.0));
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in 0..height {
        for column in 0..width {
            let mut sum = [0.0; 3];
            for (step_x, step_y) in (0..count).flat_map(|x| (0..count).map(move |y| (x, y))) {
                #[expect(clippy::cast_precision_loss, reason = "a picture's sides")]
                let place = |place: usize, step: u32, axis: usize| {
                    let along = place as f64 + (f64::from(step) + 0.5) / f64::from(count);
                    // Of a picture that is no square, the middle of the square is taken.
                    0.5 + (along - sides[axis] / 2.0) / largest
                };
                let at = square.at(place(column, step_x, 0), place(row, step_y, 1));
                for (sum, level) in sum.iter_mut().zip(between(part, at)) {
                    *sum += level;
                }
            }
            rgb.extend(sum.map(|sum| level_of(sum / f64::from(count * count))));
        }
    }
    Picture::from_rgb(width, height, rgb)
}

/// The levels at a place of an image, linear between the middles of its pixels.
fn between(image: &RgbImage, place: Point) -> [f64; 3] {
    let sides = [image.width(), image.height()];
    let place: Point = array::from_fn(|axis| (place[axis] - 0.5).clamp(0.0, f64::from(sides[axis] - 1)));
    let first = place.map(whole);
    let share: Point = array::from_fn(|axis| place[axis] - f64::from(first[axis]));
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

    /// Eyes at the same height, 20 pixels apart, the mouth 20 below: FFHQ's square has the side 80 and the middle (50, 52).
    const UPRIGHT: [Point; 5] = [
        [40.0, 50.0],
        [60.0, 50.0],
        [50.0, 60.0],
        [44.0, 70.0],
        [56.0, 70.0],
    ];

    /// A picture that is different everywhere, and smooth.
    fn hills(width: usize, height: usize) -> Picture {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let level = |place: usize| {
            let (x, y) = ((place / 3 % width) as f64, (place / 3 / width) as f64);
            let turn = [0.05, 0.07, 0.04][place % 3];
            level_of(127.5 + 60.0 * (turn * x).sin() + 60.0 * (0.06 * y + turn).cos())
        };
        Picture::from_rgb(width, height, (0..3 * width * height).map(level).collect())
    }

    fn aligned(picture: Picture, points: &[Point], side: usize) -> Picture {
        let landmarks = Landmarks::new(points).unwrap();
        align(&picture, &landmarks, Alignment::default(), side, side).unwrap()
    }

    fn level(picture: &Picture, x: usize, y: usize) -> [u8; 3] {
        let at = 3 * (y * picture.width() + x);
        picture.rgb()[at..at + 3].try_into().unwrap()
    }

    fn furthest(a: &Picture, b: &Picture) -> u8 {
        a.rgb()
            .iter()
            .zip(b.rgb())
            .map(|(a, b)| a.abs_diff(*b))
            .max()
            .unwrap()
    }

    #[test]
    fn an_upright_face_is_cut_out_as_ffhq_does() {
        let picture = hills(100, 100);
        let face = aligned(picture.clone(), &UPRIGHT, 80);
        for (x, y) in [(0, 0), (79, 79), (17, 60)] {
            assert_eq!(level(&face, x, y), level(&picture, 10 + x, 12 + y), "{x}, {y}");
        }
    }

    #[test]
    fn a_picture_that_lies_on_its_side_gives_the_same_face() {
        let upright = hills(100, 100);
        // (x, y) goes to (99 − y, x), and a place to (100 − y, x).
        let lying = (0..100 * 100).flat_map(|at| level(&upright, at / 100, 99 - at % 100));
        let lying = Picture::from_rgb(100, 100, lying.collect());
        let points = UPRIGHT.map(|[x, y]| [100.0 - y, x]);
        let (one, other) = (aligned(upright, &UPRIGHT, 80), aligned(lying, &points, 80));
        assert!(furthest(&one, &other) <= 1, "{}", furthest(&one, &other));
    }

    #[test]
    fn a_large_picture_gives_the_same_face_as_a_small_one() {
        let small = hills(100, 100);
        let large = (0..400 * 400).flat_map(|at| level(&small, at % 400 / 4, at / 400 / 4));
        let large = Picture::from_rgb(400, 400, large.collect());
        let points = UPRIGHT.map(|point| point.map(|value| 4.0 * value));
        let (one, other) = (aligned(small, &UPRIGHT, 40), aligned(large, &points, 40));
        assert!(furthest(&one, &other) <= 3, "{}", furthest(&one, &other));
    }

    #[test]
    fn what_lies_outside_goes_on_as_the_picture_ends() {
        let flat = Picture::from_rgb(60, 80, [40, 90, 200].repeat(60 * 80));
        let points = UPRIGHT.map(|[x, y]| [x - 38.0, y]);
        let face = aligned(flat, &points, 64);
        assert!(face.rgb().chunks(3).all(|pixel| pixel == [40, 90, 200]));
        let face = aligned(hills(60, 80), &points, 80);
        // Inside, beyond the blur's reach, nothing has changed: the square begins at (−28, 12).
        assert_eq!(level(&face, 60, 40), level(&hills(60, 80), 32, 52));
    }

    #[test]
    fn a_model_may_show_more_around_the_face() {
        let picture = hills(200, 200);
        let points = UPRIGHT.map(|point| point.map(|value| value + 50.0));
        let landmarks = Landmarks::new(&points).unwrap();
        let alignment = Alignment { side: 1.5, down: 0.1 };
        let face = align(&picture, &landmarks, alignment, 120, 120).unwrap();
        // The side is 120, the middle (100, 102 + 12).
        assert_eq!(level(&face, 0, 0), level(&picture, 40, 54));
        assert_eq!(level(&face, 119, 119), level(&picture, 159, 173));
    }

    #[test]
    fn a_face_across_a_line_of_pixels_is_refused_before_it_is_padded() {
        for (width, height) in [(1_000_000, 1), (1, 1_000_000)] {
            let line = Picture::from_rgb(width, height, vec![0; 3 * width * height]);
            let at = |share: f64| {
                if height == 1 {
                    [share * 1e6, 0.5]
                } else {
                    [0.5, share * 1e6]
                }
            };
            let landmarks = Landmarks::new(&[0.0, 1.0, 0.5, 0.4, 0.6].map(at)).unwrap();
            let refused = align(&line, &landmarks, Alignment::default(), 16, 16).unwrap_err();
            assert!(matches!(refused, LandmarksError::Thin { .. }), "{refused}");
        }
    }
}
