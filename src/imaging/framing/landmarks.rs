//! The landmarks of a face, and the square that FFHQ crops for them.

use std::array;

use crate::imaging::framing::rotated_square::{Point, RotatedSquare, length};

/// The landmarks of a face that alignment needs: the eyes and the corners of the mouth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// Left eye, right eye, left and right corner of the mouth; left is the viewer's left.
    points: [Point; 4],
}

/// Points that are not the landmarks of a face in an image.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LandmarksError {
    /// The number of points is not 5 and not 68.
    #[error("found {0} points; expected 5 (eyes, nose, corners of the mouth) or the 68 of iBUG 300-W")]
    Count(usize),
    /// A point has a NaN or an infinity.
    #[error(
        "found a coordinate of point {0} that is not finite; expected pixels, with points counted from 0"
    )]
    NotFinite(usize),
    /// An eye or a corner of the mouth lies outside of the image.
    #[error(
        "found eyes and mouth at {points:?}; expected points inside the image of {width}×{height} pixels"
    )]
    Outside {
        /// Eyes and corners of the mouth.
        points: [Point; 4],
        /// Width of the image.
        width: usize,
        /// Height of the image.
        height: usize,
    },
    /// The image is much thinner than the face.
    #[error(
        "found a face that is too large for an image of {width}×{height} pixels; expected an image that shows the face"
    )]
    TooThin {
        /// Width of the image.
        width: usize,
        /// Height of the image.
        height: usize,
    },
    /// Eyes and mouth lie at the same point, so that the face has no size and no direction.
    #[error("found eyes and mouth at {points:?}; expected a face of several pixels")]
    NoSize {
        /// Eyes and corners of the mouth.
        points: [Point; 4],
    },
}

impl Landmarks {
    /// Makes landmarks from points in pixels from the upper left corner: left eye, right eye, nose, left and right corner of the
    /// mouth, where left is the viewer's left; or the 68 points of iBUG 300-W in their order.
    ///
    /// # Errors
    /// [`LandmarksError`].
    pub fn new(points: &[Point]) -> Result<Self, LandmarksError> {
        if let Some(index) = points
            .iter()
            .position(|point| point.iter().any(|x| !x.is_finite()))
        {
            return Err(LandmarksError::NotFinite(index));
        }
        #[expect(clippy::cast_precision_loss, reason = "an eye has six points")]
        let mean = |points: &[Point]| -> Point {
            array::from_fn(|axis| points.iter().map(|point| point[axis]).sum::<f64>() / points.len() as f64)
        };
        let points = match *points {
            [left, right, _, mouth_left, mouth_right] => [left, right, mouth_left, mouth_right],
            _ if points.len() == 68 => [
                mean(&points[36..42]),
                mean(&points[42..48]),
                points[48],
                points[54],
            ],
            _ => return Err(LandmarksError::Count(points.len())),
        };
        Ok(Self { points })
    }

    /// The landmarks in an image of half the size, or of another fraction of it.
    pub(super) fn reduced(self, reduction: u32) -> Self {
        let points = self.points.map(|point| point.map(|x| x / f64::from(reduction)));
        Self { points }
    }

    /// Checks that the landmarks are those of a face in an image of this size.
    ///
    /// # Errors
    /// [`LandmarksError`] if eyes or mouth lie outside of the image, or at the same point.
    pub fn check_within(&self, width: usize, height: usize) -> Result<(), LandmarksError> {
        self.square(width, height).map(|_| ())
    }

    /// The square that FFHQ crops for this face.
    ///
    /// If e goes from the left eye to the right eye, and m from the middle of the eyes to the middle of the mouth: half a side is
    /// x = e − (−m₂, m₁), scaled to the length max(2 |e|, 1.8 |m|), and the centre is the middle of the eyes plus 0.1 m.
    pub(super) fn square(&self, width: usize, height: usize) -> Result<RotatedSquare, LandmarksError> {
        let points = self.points;
        #[expect(clippy::cast_precision_loss, reason = "sides of an image")]
        let sides = [width as f64, height as f64];
        let inside = |point: &Point| (0..2).all(|axis| (0.0..=sides[axis]).contains(&point[axis]));
        if !points.iter().all(inside) {
            return Err(self.outside(width, height));
        }
        let [left, right, mouth_left, mouth_right] = points;
        let (eyes, mouth) = (middle(left, right), middle(mouth_left, mouth_right));
        let (across, down) = (difference(right, left), difference(mouth, eyes));
        let x = [across[0] + down[1], across[1] - down[0]];
        let half = (2.0 * length(across)).max(1.8 * length(down));
        if length(x) < 1e-3 || half < 2.0 {
            return Err(LandmarksError::NoSize { points });
        }
        let x = x.map(|value| value * half / length(x));
        Ok(RotatedSquare {
            centre: [eyes[0] + 0.1 * down[0], eyes[1] + 0.1 * down[1]],
            x,
            y: [-x[1], x[0]],
        })
    }

    /// The error that the face lies outside of an image of this size.
    pub(super) fn outside(&self, width: usize, height: usize) -> LandmarksError {
        LandmarksError::Outside {
            points: self.points,
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
    fn sixty_eight_points_give_the_landmarks_of_five() {
        let mut points = vec![[1.0, 1.0]; 68];
        for (index, point) in [(36, UPRIGHT[0]), (42, UPRIGHT[1])] {
            for step in 0..6 {
                let off = [-3.0, -1.0, 1.0, 3.0, 1.0, -1.0][step];
                points[index + step] = [point[0] + off, point[1]];
            }
        }
        (points[48], points[54]) = (UPRIGHT[3], UPRIGHT[4]);
        assert_eq!(Landmarks::new(&points), Landmarks::new(&UPRIGHT));
    }

    #[test]
    fn points_that_are_not_a_face_are_refused_with_the_reason() {
        assert_eq!(Landmarks::new(&UPRIGHT[..4]), Err(LandmarksError::Count(4)));
        let mut broken = UPRIGHT;
        broken[2][1] = f64::NAN;
        assert_eq!(Landmarks::new(&broken), Err(LandmarksError::NotFinite(2)));
        let refused = |points: &[Point]| {
            let landmarks = Landmarks::new(points).unwrap();
            landmarks.check_within(100, 100).unwrap_err()
        };
        assert!(matches!(
            refused(&[[50.0, 50.0]; 5]),
            LandmarksError::NoSize { .. }
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
