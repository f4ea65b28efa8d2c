//! Codes with more values than there are codes, as coordinates in the space that they span.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2};

use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::linear_algebra::cholesky::factorize;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::{add_scaled_f64, dot};
use crate::latent::statistics::float;

/// Values of each code in one matrix product.
const CHUNK: usize = 256;

/// Added to the squared length of each centred code, as a share of the mean one: some codes may be sums of others.
const DAMPING: f64 = 1e-9;

/// n codes, and the coordinates of each in the space that they span. Distances and angles between codes are those between coordinates,
/// so that a hyperplane fitted to the coordinates is the one fitted to the codes.
pub(crate) struct Span<'a> {
    rows: CodeRows<'a>,
    mean: Array1<f64>,
    /// L, where L Lᵀ are the products of the centred codes: row i has the coordinates of code i.
    factor: Array2<f64>,
    /// L as codes.
    coordinates: Array2<f32>,
    /// All rows of the coordinates.
    all: Vec<usize>,
}

impl<'a> Span<'a> {
    /// The span of `rows`. `None` if all codes are equal.
    pub(crate) fn of(rows: CodeRows<'a>) -> Option<Self> {
        let all: Vec<usize> = (0..rows.len()).collect();
        let mean = rows.mean(&all);
        let mut factor = Array2::zeros((rows.len(), rows.len()));
        for first in (0..rows.dim()).step_by(CHUNK) {
            let columns = CHUNK.min(rows.dim() - first);
            let centred = Array2::from_shape_fn((rows.len(), columns), |(row, column)| {
                f64::from(rows.row(row)[first + column]) - mean[first + column]
            });
            general_mat_mul(1.0, &centred, &centred.t(), 1.0, &mut factor);
        }
        let damping = DAMPING * factor.diag().sum() / float(rows.len());
        factor.diag_mut().mapv_inplace(|square| square + damping);
        factorize(&mut factor, 0.0, dot)?;
        for row in 0..rows.len() {
            factor
                .row_mut(row)
                .iter_mut()
                .skip(row + 1)
                .for_each(|value| *value = 0.0);
        }
        #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
        let coordinates = factor.mapv(|value| value as f32);
        Some(Self {
            rows,
            mean,
            factor,
            coordinates,
            all,
        })
    }

    /// The coordinates of the codes, as codes of n values.
    pub(crate) fn coordinates(&self) -> CodeRows<'_> {
        CodeRows {
            codes: self.coordinates.view(),
            selected: &self.all,
        }
    }

    /// The hyperplane of the codes that is `plane` in their coordinates.
    pub(crate) fn lift(&self, plane: &Hyperplane) -> Hyperplane {
        // w = Xᵀ a for the centred codes X. Its products with the codes are L Lᵀ a, and those of the plane L w, so that Lᵀ a = w.
        let mut a = plane.w.clone();
        for row in (0..a.len()).rev() {
            a[row] /= self.factor[[row, row]];
            let (before, at) = a.split_at_mut(row);
            for (value, own) in before.iter_mut().zip(self.factor.row(row)) {
                *value -= at[0] * own;
            }
        }
        let [mut w] = self.rows.weighted_sums(&self.all, |position| [a[position]]);
        let mean = self.mean.as_slice().expect("the mean is contiguous");
        add_scaled_f64(&mut w, -a.iter().sum::<f64>(), mean);
        Hyperplane {
            intercept: plane.intercept - dot(&w, mean),
            w,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latent::fitting::progress::Progress;
    use crate::latent::fitting::regression::Regression;
    use crate::latent::fitting::scored_codes::ScoredCodes;
    use crate::latent::{SharedCodes, standard_normal};

    fn fitted(scored: &ScoredCodes<'_>) -> Hyperplane {
        let mut report = |_| std::ops::ControlFlow::Continue(());
        let progress = &mut Progress::new(&mut report);
        let result = Regression::Best.fit(scored, 0, &SharedCodes::default(), progress);
        result.map_err(|error| error.to_string()).unwrap().hyperplane
    }

    #[test]
    fn a_fit_in_the_span_is_the_fit_to_the_codes() {
        let (count, values) = (60, 90);
        let numbers = standard_normal(7, count * values);
        #[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
        let codes = Array2::from_shape_fn((count, values), |(row, column)| {
            (numbers[row * values + column] + 3.0) as f32
        });
        // Two equal codes: they span one dimension less.
        let mut codes = codes;
        let first = codes.row(0).to_owned();
        codes.row_mut(1).assign(&first);
        let all: Vec<usize> = (0..count).collect();
        let rows = CodeRows {
            codes: codes.view(),
            selected: &all,
        };
        let noise = standard_normal(8, count);
        let scores: Vec<f64> = codes
            .outer_iter()
            .zip(noise)
            .map(|(code, noise)| f64::from(code[0] + code[1]) + 0.2 * noise)
            .collect();
        let sides = scores.iter().map(|&score| f64::from(u8::from(score > 6.5)));
        for (scores, threshold) in [(scores.clone(), 6.0), (sides.collect(), 0.5)] {
            let fitted = |rows: CodeRows<'_>| {
                fitted(&ScoredCodes {
                    rows,
                    scores: scores.clone(),
                    threshold,
                    values,
                })
            };
            let span = Span::of(rows).unwrap();
            let direct = fitted(rows);
            let lifted = span.lift(&fitted(span.coordinates()));
            let cosine =
                dot(&direct.w, &lifted.w) / (dot(&direct.w, &direct.w) * dot(&lifted.w, &lifted.w)).sqrt();
            assert!(cosine > 0.9999, "{cosine}");
            let scale = dot(&direct.w, &direct.w).sqrt();
            for &index in &all {
                let (one, other) = (direct.value(rows.row(index)), lifted.value(rows.row(index)));
                assert!((one - other).abs() < 0.1 * scale, "{index}: {one}, {other}");
            }
        }
    }
}
