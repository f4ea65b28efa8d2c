//! FFHQ's alignment: a photograph turned, cut and scaled by its landmarks, so that the face stands where generators drew theirs.
//!
//! Karras et al., "A Style-Based Generator Architecture for Generative Adversarial Networks" (2019), with the numbers of the
//! program that made the data set.

use std::array;

use image::imageops::{FilterType, crop_imm, fast_blur, resize};
use image::{Rgb, RgbImage};

use super::Picture;

type Point = [f64; 2];

/// A face's landmarks, as far as alignment needs them: where the eyes are, and which way the mouth is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Eyes and corners of the mouth, left before right as the picture is looked at.
    places: [Point; 4],
}

/// Points that are no landmarks of this picture.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LandmarksError {
    /// Neither 5 nor 68.
    #[error("found {0} points, expected 5 (eyes, nose, corners of the mouth) or 68 (iBUG's)")]
    Count(usize),
    /// NaN or infinite.
    #[error("point {0} is not finite")]
    NotFinite(usize),
    /// Eyes or mouth are not in the picture.
    #[error("found eyes and mouth at {places:?}, expected them inside the picture's {width}×{height} pixels")]
    Outside {
        /// Eyes and corners of the mouth.
        places: [Point; 4],
        /// The picture's width.
        width: usize,
        /// The picture's height.
        height: usize,
    },
    /// Next to the face, the picture is a line.
    #[error(
        "found a face too large for a picture of {width}×{height} pixels, expected a picture that shows it"
    )]
    Thin {
        /// The picture's width.
        width: usize,
        /// The picture's height.
        height: usize,
    },
    /// Eyes and mouth are in one place, so that they point nowhere.
    #[error("found eyes and mouth at {places:?}, expected a face of some pixels")]
    Together {
        /// Eyes and corners of the mouth.
        places: [Point; 4],
    },
}

impl Landmarks {
    /// Landmarks of points in pixels from the picture's upper left corner: the left eye, the right eye, the nose, the left and
    /// the right corner of the mouth (left as the picture is looked at); or the 68 of iBUG 300-W, in their order.
    ///
    /// # Errors
    /// [`LandmarksError`].
    pub fn new(points: &[Point]) -> Result<Self, LandmarksError> {
        if let Some(place) = points
            .iter()
            .position(|point| point.iter().any(|x| !x.is_finite()))
        {
            return Err(LandmarksError::NotFinite(place));
        }
        #[expect(clippy::cast_precision_loss, reason = "an eye has six points")]
        let mean = |points: &[Point]| -> Point {
            array::from_fn(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64)
        };
        let places = match *points {
            [left, right, _, mouth_left, mouth_right] => [left, right, mouth_left, mouth_right],
            _ if points.len() == 68 => [
                mean(&points[36..42]),
                mean(&points[42..48]),
                points[48],
                points[54],
            ],
            _ => return Err(LandmarksError::Count(points.len())),
        };
        Ok(Self { places })
    }

    /// Whether they mark a face in a picture of this size.
    ///
    /// # Errors
    /// [`LandmarksError`] where eyes and mouth lie outside of it, or in one place.
    pub fn within(&self, width: usize, height: usize) -> Result<(), LandmarksError> {
        self.square(width, height).map(|_| ())
    }

    /// The square that FFHQ cuts out for this face.
    ///
    /// With e from eye to eye and m from between the eyes to between the mouth's corners: x = e − (−m₂, m₁), scaled to the length
    /// max(2 |e|, 1.8 |m|), and the middle 0.1 m below the eyes.
    fn square(&self, width: usize, height: usize) -> Result<Square, LandmarksError> {
        let places = self.places;
        #[expect(clippy::cast_precision_loss, reason = "a picture's sides")]
        let sides = [width as f64, height as f64];
        let inside = |point: &Point| (0..2).all(|axis| (0.0..=sides[axis]).contains(&point[axis]));
        if !places.iter().all(inside) {
            return Err(LandmarksError::Outside {
                places,
                width,
                height,
            });
        }
        let [left, right, mouth_left, mouth_right] = places;
        let (eyes, mouth) = (middle(left, right), middle(mouth_left, mouth_right));
        let (across, down) = (difference(right, left), difference(mouth, eyes));
        let x = [across[0] + down[1], across[1] - down[0]];
        let half = (2.0 * length(across)).max(1.8 * length(down));
        if length(x) < 1e-3 || half < 2.0 {
            return Err(LandmarksError::Together { places });
        }
        let x = x.map(|value| value * half / length(x));
        Ok(Square {
            centre: [eyes[0] + 0.1 * down[0], eyes[1] + 0.1 * down[1]],
            x,
            y: [-x[1], x[0]],
        })
    }
}

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

/// A square that may be turned: its corners are centre ± x ± y.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Square {
    centre: Point,
    /// Half a side, to the right.
    x: Point,
    /// Half a side, down.
    y: Point,
}

impl Square {
    fn aligned(self, alignment: Alignment) -> Self {
        let Self { centre, x, y } = self;
        let [x, y] = [x, y].map(|half| half.map(|value| value * alignment.side));
        let centre = array::from_fn(|axis| centre[axis] + 2.0 * alignment.down * y[axis]);
        Self { centre, x, y }
    }

    fn side(self) -> f64 {
        2.0 * length(self.x)
    }

    /// Where the place (u, v) of the square is, both from 0 to 1.
    fn at(self, u: f64, v: f64) -> Point {
        array::from_fn(|axis| {
            self.centre[axis] + (2.0 * u - 1.0) * self.x[axis] + (2.0 * v - 1.0) * self.y[axis]
        })
    }

    /// The least and the greatest coordinates of its corners.
    fn bounds(self) -> [Point; 2] {
        let reach: Point = array::from_fn(|axis| self.x[axis].abs() + self.y[axis].abs());
        [-1.0, 1.0].map(|sign| array::from_fn(|axis| self.centre[axis] + sign * reach[axis]))
    }

    /// The same square where coordinates have been shifted, then scaled.
    fn moved(self, shift: Point, scale: Point) -> Self {
        let scaled = |half: Point| array::from_fn(|axis| half[axis] * scale[axis]);
        Self {
            centre: array::from_fn(|axis| (self.centre[axis] + shift[axis]) * scale[axis]),
            x: scaled(self.x),
            y: scaled(self.y),
        }
    }
}

/// The face of `picture` that `landmarks` mark, `width` × `height` pixels large, as `alignment` says.
///
/// What lies outside of the picture is its mirror image, more and more blurred and faded to the median colour, as FFHQ pads.
///
/// # Errors
/// [`LandmarksError`] where the landmarks do not fit the picture.
pub(super) fn align(
    picture: Picture,
    landmarks: &Landmarks,
    alignment: Alignment,
    width: usize,
    height: usize,
) -> Result<Picture, LandmarksError> {
    let square = landmarks
        .square(picture.width(), picture.height())?
        .aligned(alignment);
    let (own_width, own_height) = (picture.width(), picture.height());
    let image = image_of(picture);
    // No more of the picture than the square and a border.
    let border = (0.1 * square.side()).round().max(3.0);
    let [least, greatest] = square.bounds();
    let start: [u32; 2] = array::from_fn(|axis| whole(least[axis] - border));
    let end = [
        whole((greatest[0] + border).ceil()).min(image.width()),
        whole((greatest[1] + border).ceil()).min(image.height()),
    ];
    let size: [u32; 2] = array::from_fn(|axis| end[axis].saturating_sub(start[axis]));
    if size.contains(&0) {
        return Err(LandmarksError::Outside {
            places: landmarks.places,
            width: own_width,
            height: own_height,
        });
    }
    let part = crop_imm(&image, start[0], start[1], size[0], size[1]).to_image();
    drop(image);
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
        part
    } else {
        resize(&part, shrunk[0], shrunk[1], FilterType::Lanczos3)
    };
    let square = square.moved(
        start.map(|start| -f64::from(start)),
        array::from_fn(|axis| f64::from(shrunk[axis]) / f64::from(size[axis])),
    );
    let (part, square) = padded(part, square);
    Ok(sampled(&part, square, width, height))
}

/// The part with what the square lacks of it around, and the square in it.
fn padded(part: RgbImage, square: Square) -> (RgbImage, Square) {
    let size = [part.width(), part.height()];
    let [least, greatest] = square.bounds();
    let within = |axis: usize| least[axis] >= 1.0 && greatest[axis] <= f64::from(size[axis]) - 1.0;
    if within(0) && within(1) {
        return (part, square);
    }
    let least_pad = (0.3 * square.side()).round().max(1.0);
    let before: [u32; 2] = array::from_fn(|axis| whole((-least[axis]).ceil().max(least_pad)));
    let after: [u32; 2] =
        array::from_fn(|axis| whole((greatest[axis] - f64::from(size[axis])).ceil().max(least_pad)));
    let whole_side = |axis: usize| before[axis] + size[axis] + after[axis];
    let mut around = RgbImage::from_fn(whole_side(0), whole_side(1), |x, y| {
        *part.get_pixel(mirrored(x, before[0], size[0]), mirrored(y, before[1], size[1]))
    });
    // 1 at the outer edge, 0 at the picture's, below inside.
    let outside = |at: u32, axis: usize| {
        let (at, end) = (f64::from(at), f64::from(whole_side(axis) - 1));
        1.0 - (at / f64::from(before[axis])).min((end - at) / f64::from(after[axis]))
    };
    #[expect(clippy::cast_possible_truncation, reason = "a blur needs no more digits")]
    let blurred = fast_blur(&around, (0.02 * square.side()) as f32);
    blend(
        &mut around,
        &outside,
        |mask| 3.0 * mask + 1.0,
        |x, y| *blurred.get_pixel(x, y),
    );
    let median = median(&around);
    blend(&mut around, &outside, |mask| mask, |_, _| median);
    let square = square.moved(before.map(f64::from), [1.0, 1.0]);
    (around, square)
}

/// Blends other pixels in, each by a weight of how far outside it is.
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
                *level = level_of(f64::from(*level) * (1.0 - share) + f64::from(other) * share);
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

/// The place in a row of `length` that is seen `before` pixels after the row's mirror image began.
fn mirrored(place: u32, before: u32, length: u32) -> u32 {
    let period = i64::from(2 * length.saturating_sub(1)).max(1);
    let place = (i64::from(place) - i64::from(before)).rem_euclid(period);
    let place = place.min(period - place).min(i64::from(length) - 1);
    u32::try_from(place).expect("a place in the row")
}

fn image_of(picture: Picture) -> RgbImage {
    let side = |length: usize| u32::try_from(length).expect("a picture's sides are below 2³²");
    let (width, height) = (side(picture.width()), side(picture.height()));
    RgbImage::from_raw(width, height, picture.into_rgb()).expect("a picture has three bytes a pixel")
}

fn middle(a: Point, b: Point) -> Point {
    array::from_fn(|axis| f64::midpoint(a[axis], b[axis]))
}

fn difference(a: Point, b: Point) -> Point {
    array::from_fn(|axis| a[axis] - b[axis])
}

fn length(a: Point) -> f64 {
    a[0].hypot(a[1])
}

/// A number's whole part, 0 where it is below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast is the clamp"
)]
fn whole(value: f64) -> u32 {
    value as u32
}

/// A level, rounded half up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast is the clamp"
)]
fn level_of(value: f64) -> u8 {
    (value + 0.5) as u8
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
        align(picture, &landmarks, Alignment::default(), side, side).unwrap()
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
    fn sixty_eight_points_say_the_same_as_five() {
        let mut points = vec![[1.0, 1.0]; 68];
        for (place, point) in [(36, UPRIGHT[0]), (42, UPRIGHT[1])] {
            for step in 0..6 {
                let off = [-3.0, -1.0, 1.0, 3.0, 1.0, -1.0][step];
                points[place + step] = [point[0] + off, point[1]];
            }
        }
        (points[48], points[54]) = (UPRIGHT[3], UPRIGHT[4]);
        assert_eq!(
            aligned(hills(100, 100), &points, 64),
            aligned(hills(100, 100), &UPRIGHT, 64)
        );
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
        let face = align(picture.clone(), &landmarks, alignment, 120, 120).unwrap();
        // The side is 120, the middle (100, 102 + 12).
        assert_eq!(level(&face, 0, 0), level(&picture, 40, 54));
        assert_eq!(level(&face, 119, 119), level(&picture, 159, 173));
    }

    #[test]
    fn points_that_are_no_face_are_refused_by_what_is_wrong() {
        assert_eq!(Landmarks::new(&UPRIGHT[..4]), Err(LandmarksError::Count(4)));
        let mut broken = UPRIGHT;
        broken[2][1] = f64::NAN;
        assert_eq!(Landmarks::new(&broken), Err(LandmarksError::NotFinite(2)));
        let refused = |points: &[Point]| {
            let landmarks = Landmarks::new(points).unwrap();
            align(hills(100, 100), &landmarks, Alignment::default(), 8, 8).unwrap_err()
        };
        assert!(matches!(
            refused(&[[50.0, 50.0]; 5]),
            LandmarksError::Together { .. }
        ));
        for far in [-1.0, 101.0, 1e300] {
            let mut points = UPRIGHT;
            points[1][0] = far;
            assert!(
                matches!(refused(&points), LandmarksError::Outside { width: 100, .. }),
                "{far}"
            );
        }
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
            let refused = align(line, &landmarks, Alignment::default(), 16, 16).unwrap_err();
            assert!(matches!(refused, LandmarksError::Thin { .. }), "{refused}");
        }
    }
}
