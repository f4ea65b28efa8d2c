//! The hyperplanes that separate codes by a side of each code: logistic regression of all codes, and of each half.

use crate::latent::FitError;
use crate::latent::fitting::hyperplane::Hyperplane;
use crate::latent::fitting::logistic::{self, LogisticProblem, Solution};
use crate::latent::fitting::moments::{HalvedScoreMoments, ReducedCodes, ScoreMoments};
use crate::latent::fitting::progress::Progress;
use crate::latent::fitting::ridge;
use crate::latent::fitting::shared_codes::Reduction;
use crate::latent::linear_algebra::code_rows::CodeRows;

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
    pub(crate) fn of_halves(&self, progress: &mut Progress<'_>) -> Result<Option<[Hyperplane; 2]>, FitError> {
        let fits = progress.both_halves(0.8..0.9, |half, reach| {
            let codes = &self.codes.of_halves[half];
            let start = start(codes, &self.moments.of_halves[half]);
            self.fit(&self.halves[half], codes, &start, reach)
        });
        match fits {
            [Ok(first), Ok(second)] => Ok(Some([first.hyperplane, second.hyperplane])),
            [Err(FitError::Cancelled), _] => Err(FitError::Cancelled),
            _ => Ok(None),
        }
    }

    /// The hyperplane that separates all codes, from those of both halves, if they are known. `progress` goes from 0.9 to 1.
    ///
    /// # Errors
    /// [`FitError::NotConverged`] and [`FitError::Cancelled`].
    pub(crate) fn of_all(
        &self,
        of_halves: Option<&[Hyperplane; 2]>,
        progress: &mut Progress<'_>,
    ) -> Result<Solution, FitError> {
        let start = match of_halves {
            Some([first, second]) => {
                let both = first.w.iter().zip(&second.w);
                both.map(|(one, other)| one + other).collect()
            }
            None => start(&self.codes.all, &self.moments.all),
        };
        let all: Vec<usize> = (0..self.sides.len()).collect();
        let mut reach = |share| progress.reach(0.9 + 0.1 * share);
        self.fit(&all, &self.codes.all, &start, &mut reach)
    }

    fn fit(
        &self,
        indices: &[usize],
        codes: &ReducedCodes,
        start: &[f64],
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
fn start(codes: &ReducedCodes, sides: &ScoreMoments) -> Vec<f64> {
    let ridge = ridge::cross_validated(codes, &sides.cross, sides.total);
    ridge.map_or_else(|| sides.cross.clone(), |ridge| ridge.w)
}
