//! A face's landmarks, and the square that FFHQ cuts out for them.

use std::array;

use super::square::{Point, Square, length};

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
    pub(super) fn square(&self, width: usize, height: usize) -> Result<Square, LandmarksError> {
        let places = self.places;
        #[expect(clippy::cast_precision_loss, reason = "a picture's sides")]
        let sides = [width as f64, height as f64];
        let inside = |point: &Point| (0..2).all(|axis| (0.0..=sides[axis]).contains(&point[axis]));
        if !places.iter().all(inside) {
            return Err(self.outside(width, height));
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

    /// That nothing of the face is in a picture of this size.
    pub(super) fn outside(&self, width: usize, height: usize) -> LandmarksError {
        LandmarksError::Outside {
            places: self.places,
            width,
            height,
        }
    }
}

fn middle(a: Point, b: Point) -> Point {
    array::from_fn(|axis| f64::midpoint(a[axis], b[axis]))
}

fn difference(a: Point, b: Point) -> Point {
    array::from_fn(|axis| a[axis] - b[axis])
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPRIGHT: [Point; 5] = [
        [40.0, 50.0],
        [60.0, 50.0],
        [50.0, 60.0],
        [44.0, 70.0],
        [56.0, 70.0],
    ];

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
        assert_eq!(Landmarks::new(&points), Landmarks::new(&UPRIGHT));
    }

    #[test]
    fn points_that_are_no_face_are_refused_by_what_is_wrong() {
        assert_eq!(Landmarks::new(&UPRIGHT[..4]), Err(LandmarksError::Count(4)));
        let mut broken = UPRIGHT;
        broken[2][1] = f64::NAN;
        assert_eq!(Landmarks::new(&broken), Err(LandmarksError::NotFinite(2)));
        let refused = |points: &[Point]| {
            let landmarks = Landmarks::new(points).unwrap();
            landmarks.within(100, 100).unwrap_err()
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
}
