//! Resizes images: to a whole fraction by the mean of squares, to any other size by a triangle filter.
//!
//! The triangle filter is the one of Pillow's `BILINEAR`: the value of a pixel is the mean of the pixels around its centre, and the
//! weight of a pixel at distance `d` is `max(0, 1 − d/s)`. `s` is the length of the original axis divided by the new one where that is
//! above 1, so that every pixel has a part in the result when an image gets smaller, and 1 where an image gets larger. Distances are
//! in pixels of the original, between centres of pixels. Pixels beyond the edges have no weight.

use ndarray::{Array4, ArrayView1, ArrayView4, ArrayViewMut1, Axis, Slice};

/// The way from one size to another.
pub(crate) enum Resizing {
    /// The size stays.
    None,
    /// The sum of squares of this many pixels a side becomes a pixel. The caller divides by the number of pixels.
    SumOfSquares(usize),
    /// The triangle filters of rows and columns.
    Triangle {
        rows: TriangleFilter,
        columns: TriangleFilter,
    },
}

/// The filter along one axis: for each new pixel, the first pixel of the original that it is made of, and the weights.
pub(crate) struct TriangleFilter {
    pixels: Vec<(usize, Vec<f32>)>,
}

impl Resizing {
    /// The way from a height and width to another.
    pub(crate) fn new([height, width]: [usize; 2], [new_height, new_width]: [usize; 2]) -> Self {
        let (rows, columns) = (height / new_height, width / new_width);
        let is_whole = rows * new_height == height && columns * new_width == width && rows == columns;
        match rows {
            1 if is_whole => Self::None,
            _ if is_whole => Self::SumOfSquares(rows),
            _ => Self::Triangle {
                rows: TriangleFilter::new(height, new_height),
                columns: TriangleFilter::new(width, new_width),
            },
        }
    }
}

impl Resizing {
    /// Pixels whose sum becomes a pixel.
    pub(crate) fn summed(&self) -> usize {
        match self {
            Self::SumOfSquares(pixels) => pixels * pixels,
            Self::None | Self::Triangle { .. } => 1,
        }
    }

    /// Height and width that images of this height and width get.
    pub(crate) fn size(&self, [height, width]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::None => [height, width],
            Self::SumOfSquares(pixels) => [height / pixels, width / pixels],
            Self::Triangle { rows, columns } => [rows.pixels.len(), columns.pixels.len()],
        }
    }
}

/// Images in which squares of `side` × `side` pixels are added.
pub(crate) fn sum_of_squares(images: ArrayView4<'_, f32>, side: usize) -> Array4<f32> {
    let (batch, channels, height, width) = images.dim();
    let mut sums = Array4::zeros((batch, channels, height / side, width / side));
    let every_nth = |first: usize| Slice::from(first..).step_by(side.cast_signed());
    for row in 0..side {
        let rows = images.slice_axis(Axis(2), every_nth(row));
        for column in 0..side {
            sums += &rows.slice_axis(Axis(3), every_nth(column));
        }
    }
    sums
}

impl TriangleFilter {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "axes have a few thousand pixels, positions on them are not negative after the maximum, and weights are f32"
    )]
    pub(crate) fn new(length: usize, new_length: usize) -> Self {
        let scale = length as f64 / new_length as f64;
        let support = scale.max(1.0);
        let pixel = |index: usize| {
            let centre = (index as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(length);
            let weight = |at: usize| (1.0 - ((at as f64 + 0.5 - centre) / support).abs()).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            let weights = (first..end).map(|at| (weight(at) / sum) as f32);
            (first, weights.collect())
        };
        Self {
            pixels: (0..new_length).map(pixel).collect(),
        }
    }

    fn weigh(&self, line: ArrayView1<'_, f32>, mut resized: ArrayViewMut1<'_, f32>) {
        for (pixel, (first, weights)) in resized.iter_mut().zip(&self.pixels) {
            let values = line.iter().skip(*first);
            *pixel = weights
                .iter()
                .zip(values)
                .map(|(weight, value)| weight * value)
                .sum();
        }
    }
}

/// Images in another size, by triangle filters.
pub(crate) fn resized(
    images: ArrayView4<'_, f32>,
    rows: &TriangleFilter,
    columns: &TriangleFilter,
) -> Array4<f32> {
    let (batch, channels, _, width) = images.dim();
    let (new_height, new_width) = (rows.pixels.len(), columns.pixels.len());
    // Rows first: a row is contiguous, so that adding whole rows is fast, and fewer rows remain for the other axis.
    let mut shorter = Array4::zeros((batch, channels, new_height, width));
    for (index, (first, weights)) in rows.pixels.iter().enumerate() {
        let mut row = shorter.index_axis_mut(Axis(2), index);
        for (offset, weight) in weights.iter().enumerate() {
            row.scaled_add(*weight, &images.index_axis(Axis(2), first + offset));
        }
    }
    let mut small = Array4::zeros((batch, channels, new_height, new_width));
    let lines = shorter.lanes(Axis(3)).into_iter();
    for (line, resized) in lines.zip(small.lanes_mut(Axis(3))) {
        columns.weigh(line, resized);
    }
    small
}

#[cfg(test)]
mod tests {
    use ndarray::{Array4, array};

    use super::*;

    /// Resizes one row of values.
    fn row(values: &[f32], new_length: usize) -> Vec<f32> {
        let images = Array4::from_shape_vec((1, 1, 1, values.len()), values.to_vec()).unwrap();
        let (rows, columns) = (
            TriangleFilter::new(1, 1),
            TriangleFilter::new(values.len(), new_length),
        );
        resized(images.view(), &rows, &columns)
            .into_raw_vec_and_offset()
            .0
    }

    #[test]
    fn the_values_are_those_of_pillow() {
        // numpy.asarray(Image.fromarray(row).resize((n, 1), Image.Resampling.BILINEAR)) of an image of 32-bit floats.
        let cases: [(&[f32], &[f32]); 3] = [
            (
                &[0.0, 1.0, 0.0, 0.0, 4.0],
                &[0.428_571_43, 0.222_222_22, 2.285_714_4],
            ),
            (
                &[0.0, 1.0, 0.0, 0.0, 4.0],
                &[0.0, 0.571_428_6, 0.714_285_73, 0.0, 0.0, 1.714_285_7, 4.0],
            ),
            (&[3.0, -1.0, 2.0, 5.0], &[3.0, -1.0, 2.0, 5.0]),
        ];
        for (values, expected) in cases {
            for (found, expected) in row(values, expected.len()).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
    }

    #[test]
    fn a_whole_fraction_is_the_mean_of_squares() {
        let images = Array4::from_shape_fn((1, 1, 4, 2), |(.., row, column)| {
            f32::from(u8::try_from(2 * row + column).unwrap())
        });
        assert!(matches!(Resizing::new([4, 2], [2, 1]), Resizing::SumOfSquares(2)));
        assert!(matches!(Resizing::new([4, 2], [4, 1]), Resizing::Triangle { .. }));
        assert_eq!(sum_of_squares(images.view(), 2), array![[[[6.0], [22.0]]]]);
    }
}
