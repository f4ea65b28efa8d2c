//! The hyperplanes that separate codes by a side of each code: logistic regression of all codes, and of each half.

use crate::latent::FitError;
use crate::latent::fitting::logistic::{self, LogisticProblem, Solution, Start};
use crate::latent::fitting::moments::{HalvedScoreMoments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge;
use crate::latent::fitting::shared_codes::Reduction;
use crate::latent::linear_algebra::code_rows::CodeRows;
use crate::latent::linear_algebra::dot_product::dot;

/// Codes with a side each.
pub(crate) struct Separation<'c, 'a> {
    pub(crate) rows: CodeRows<'c>,
    /// The values of a code.
    pub(crate) values: usize,
    pub(crate) halves: &'a [Vec<usize>; 2],
    pub(crate) codes: &'a Reduction,
    /// The side of each code: 1 or −1.
    pub(crate) sides: &'a [f64],
    pub(crate) moments: &'a HalvedScoreMoments,
    /// Whether both sides count alike, however many codes each has.
    pub(crate) balanced: bool,
}

impl Separation<'_, '_> {
    /// The hyperplane that separates each half, which two threads find. `None` without a fit. `progress` goes from 0.8 to 0.9.
    ///
    /// # Errors
    /// [`FitError::Cancelled`].
    pub(crate) fn of_halves(&self, progress: &mut Progress<'_>) -> Result<Option<[Solution; 2]>, FitError> {
        let fits = progress.both_halves(0.8..0.9, |half, reach| {
            let codes = &self.codes.of_halves[half];
            let start = start(codes, &self.moments.of_halves[half]);
            self.fit(&self.halves[half], codes, start, reach)
        });
        match fits {
            [Ok(first), Ok(second)] => Ok(Some([first, second])),
            [Err(FitError::Cancelled), _] => Err(FitError::Cancelled),
            _ => Ok(None),
        }
    }

    /// The hyperplane that separates all codes. The search starts from those of both halves, if they are known, with the values of each at
    /// the codes of the other half. `progress` goes from 0.9 to 1.
    ///
    /// # Errors
    /// [`FitError::NotConverged`] and [`FitError::Cancelled`].
    pub(crate) fn of_all(
        &self,
        of_halves: Option<(&[Solution; 2], &[Vec<f64>; 2])>,
        progress: &mut Progress<'_>,
    ) -> Result<Solution, FitError> {
        let start = match of_halves {
            Some((halves, values_of_others)) => self.start_of_all(halves, values_of_others),
            None => start(&self.codes.all, &self.moments.all),
        };
        let all: Vec<usize> = (0..self.sides.len()).collect();
        let mut reach = |share| progress.reach(0.9 + 0.1 * share);
        self.fit(&all, &self.codes.all, start, &mut reach)
    }

    /// The sum of the hyperplanes of both halves, of which half is near the hyperplane of all codes.
    fn start_of_all(&self, halves: &[Solution; 2], values_of_others: &[Vec<f64>; 2]) -> Start {
        let [first, second] = halves.each_ref().map(|half| &half.hyperplane);
        let w: Vec<f64> = first
            .w
            .iter()
            .zip(&second.w)
            .map(|(one, other)| one + other)
            .collect();
        let at_centre = first.intercept + second.intercept + dot(&w, self.codes.all.centre());
        let mut margins = vec![0.0; self.sides.len()];
        for ((half, own), others) in self.halves.iter().zip(halves).zip(values_of_others) {
            for ((&index, own), other) in half.iter().zip(&own.values).zip(others) {
                margins[index] = own + other - at_centre;
            }
        }
        Start {
            w,
            times: 0.5,
            margins: Some(margins),
        }
    }

    fn fit(
        &self,
        indices: &[usize],
        codes: &ReducedCodes,
        start: Start,
        reach: &mut dyn FnMut(f64) -> Result<(), FitError>,
    ) -> Result<Solution, FitError> {
        let problem = LogisticProblem {
            rows: self.rows,
            values: self.values,
            indices,
            sides: self.sides,
            balanced: self.balanced,
            codes,
        };
        logistic::solve(&problem, start, reach)
    }
}

/// The direction from which the search starts: that of a ridge regression of the sides, or if there is none, from the mean code of one side
/// to that of the other.
fn start(codes: &ReducedCodes, sides: &ScoreMoments) -> Start {
    let ridge = ridge::cross_validated(codes, &sides.cross, sides.total);
    Start {
        w: ridge.map_or_else(|| sides.cross.clone(), |ridge| ridge.w),
        times: 0.0,
        margins: None,
    }
}
