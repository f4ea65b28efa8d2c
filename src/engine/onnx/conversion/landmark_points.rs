//! Reads landmarks out of a landmark graph's output.

use ndarray::{Array2, ArrayD};

use crate::catalog::{Coordinates, LandmarkPoint, LandmarkUnit, LandmarksEntry};

/// Numbers of landmarks by which a face can be aligned.
const LANDMARKS: [usize; 2] = [5, 68];

/// Reads landmarks out of a landmark graph's output.
pub(crate) struct LandmarkReader {
    /// Values for each point.
    coordinates: usize,
    /// The points whose mean is a landmark.
    landmarks: Vec<LandmarkPoint>,
    /// Width and height of what a coordinate of 1 stands for, in images.
    scale: [f32; 2],
}

impl LandmarkReader {
    /// A reader for an output with `values` values, of a network that takes images of a height and width. The error is what the output
    /// should be.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    pub(crate) fn new(
        entry: &LandmarksEntry,
        values: Option<usize>,
        [height, width]: [usize; 2],
    ) -> Result<Self, String> {
        let coordinates = match entry.coordinates {
            Coordinates::Xy => 2,
            Coordinates::Xyz => 3,
        };
        let values = values.unwrap_or(0);
        let points = values / coordinates;
        let landmarks = match &entry.points {
            Some(landmarks) => landmarks.clone(),
            None => (0..points).map(LandmarkPoint::Point).collect(),
        };
        let largest = landmarks.iter().flat_map(LandmarkPoint::indices).max();
        if !values.is_multiple_of(coordinates)
            || !LANDMARKS.contains(&landmarks.len())
            || largest >= Some(&points)
        {
            return Err(match &entry.points {
                None if coordinates == 2 => {
                    "[batch, 5, 2] or [batch, 68, 2] (or [batch, 10] or [batch, 136]): choose 5 or 68 points of others with \
                     landmarks.points, and give coordinates = \"xyz\" if a point has three values"
                        .to_owned()
                }
                None => "[batch, 5, 3] or [batch, 68, 3] (or [batch, 15] or [batch, 204])".to_owned(),
                Some(_) => format!(
                    "[batch, points, {coordinates}] with at least {} points, because landmarks.points counts that far",
                    largest.map_or(1, |largest| largest + 1)
                ),
            });
        }
        Ok(Self {
            coordinates,
            landmarks,
            scale: match entry.unit {
                LandmarkUnit::Fraction => [1.0, 1.0],
                LandmarkUnit::Pixels => [1.0 / width as f32, 1.0 / height as f32],
            },
        })
    }

    /// The landmarks `[landmarks, 2]` of one image, as fractions of its width and height. `None` if there are fewer values.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a landmark is the mean of a few points"
    )]
    pub(crate) fn read(&self, output: &ArrayD<f32>) -> Option<Array2<f32>> {
        let values: Vec<f32> = output.iter().copied().collect();
        let mut landmarks = Array2::zeros((self.landmarks.len(), 2));
        for (landmark, point) in landmarks.rows_mut().into_iter().zip(&self.landmarks) {
            let indices = point.indices();
            for (axis, coordinate) in landmark.into_iter().enumerate() {
                for index in indices {
                    *coordinate += values.get(index * self.coordinates + axis)?;
                }
                *coordinate *= self.scale[axis] / indices.len() as f32;
            }
        }
        Some(landmarks)
    }
}
