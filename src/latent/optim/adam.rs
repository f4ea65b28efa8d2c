//! Down a loss to the code behind a picture: Adam, with the pace of StyleGAN2's projector.

use ndarray::{Array2, Zip};

const FIRST_BETA: f64 = 0.9;
const SECOND_BETA: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Shares of all steps in which the pace rises, and falls.
const RISE: f64 = 0.05;
const FALL: f64 = 0.25;

/// How a descent goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSchedule {
    /// How many steps it has, at least 1.
    pub steps: usize,
    /// Adam's learning rate between the ramps, in units of the code.
    pub rate: f64,
    /// Weight of the mean square distance from the start, beside the loss: it keeps the code where edits work.
    pub pull: f64,
}

impl AdamSchedule {
    /// The learning rate of step 0, 1, …: rate · min(1, t / rise) · (1 − cos(π min(1, (1 − t) / fall))) / 2, where
    /// t = (step + ½) / steps.
    ///
    /// Source: Karras et al., *Analyzing and Improving the Image Quality of StyleGAN* (CVPR 2020), appendix D.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand steps at most")]
    fn rate(&self, step: usize) -> f64 {
        let time = (step as f64 + 0.5) / self.steps as f64;
        let falling = 0.5 - 0.5 * (std::f64::consts::PI * ((1.0 - time) / FALL).min(1.0)).cos();
        self.rate * (time / RISE).min(1.0) * falling
    }
}

/// A code on its way down.
///
/// Source: Kingma and Ba, *Adam: A Method for Stochastic Optimization* (ICLR 2015), algorithm 1.
#[derive(Clone, Debug)]
pub struct Adam {
    pace: AdamSchedule,
    start: Array2<f64>,
    code: Array2<f64>,
    first: Array2<f64>,
    second: Array2<f64>,
    steps: usize,
}

impl Adam {
    /// Begins at `start` `[rows, dim]`.
    #[must_use]
    pub fn new(start: Array2<f64>, pace: AdamSchedule) -> Self {
        Self {
            pace,
            code: start.clone(),
            first: Array2::zeros(start.dim()),
            second: Array2::zeros(start.dim()),
            start,
            steps: 0,
        }
    }

    /// Where it is, `[rows, dim]`.
    #[must_use]
    pub fn code(&self) -> &Array2<f64> {
        &self.code
    }

    /// Whether all steps are taken.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps == self.pace.steps
    }

    /// One step, given the loss's gradient `[rows, dim]` at [`code`](Self::code).
    ///
    /// # Panics
    /// Where the gradient has another shape than the code.
    pub fn step(&mut self, gradient: &Array2<f64>) {
        assert_eq!(gradient.dim(), self.code.dim(), "a gradient has its code's shape");
        let rate = self.pace.rate(self.steps);
        self.steps += 1;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (first_left, second_left) = (1.0 - FIRST_BETA.powi(power), 1.0 - SECOND_BETA.powi(power));
        #[expect(clippy::cast_precision_loss, reason = "a code has a few thousand numbers")]
        let pull = 2.0 * self.pace.pull / self.code.len() as f64;
        Zip::from(&mut self.code)
            .and(&mut self.first)
            .and(&mut self.second)
            .and(&self.start)
            .and(gradient)
            .for_each(|code, first, second, &start, &gradient| {
                let slope = gradient + pull * (*code - start);
                *first = FIRST_BETA * *first + (1.0 - FIRST_BETA) * slope;
                *second = SECOND_BETA * *second + (1.0 - SECOND_BETA) * slope * slope;
                *code -= rate * (*first / first_left) / ((*second / second_left).sqrt() + EPSILON);
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: AdamSchedule = AdamSchedule {
        steps: 200,
        rate: 0.1,
        pull: 0.0,
    };

    #[test]
    fn the_pace_rises_stays_and_falls_to_nothing() {
        assert!(PACE.rate(0) < 0.01 && PACE.rate(4) < PACE.rate(9));
        assert!((PACE.rate(50) - 0.1).abs() < 1e-12 && (PACE.rate(140) - 0.1).abs() < 1e-12);
        assert!(PACE.rate(199) < 1e-4);
    }

    #[test]
    fn a_bowl_is_descended_to_its_bottom() {
        let bottom = Array2::from_shape_fn((2, 3), |(row, column)| {
            [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]][row][column]
        });
        let mut descent = Adam::new(Array2::zeros((2, 3)), PACE);
        while !descent.is_done() {
            let gradient = 2.0 * (descent.code() - &bottom);
            descent.step(&gradient);
        }
        assert!(
            (descent.code() - &bottom).iter().all(|left| left.abs() < 0.02),
            "{}",
            descent.code()
        );
    }

    #[test]
    fn a_pull_keeps_the_code_near_its_start() {
        let reach = |pull| {
            let mut descent = Adam::new(Array2::zeros((1, 1)), AdamSchedule { pull, ..PACE });
            while !descent.is_done() {
                let gradient = 2.0 * (descent.code() - 1.0);
                descent.step(&gradient);
            }
            descent.code()[[0, 0]]
        };
        // The minimum of (x − 1)² + pull x² is 1 / (1 + pull).
        for pull in [0.0, 1.0, 3.0] {
            assert!(
                (reach(pull) - 1.0 / (1.0 + pull)).abs() < 0.02,
                "pull {pull}: {}",
                reach(pull)
            );
        }
    }
}
