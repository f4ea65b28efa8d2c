//! Adam, with the learning rate of StyleGAN2's projector.

use ndarray::{Array2, Zip};

const FIRST_BETA: f64 = 0.9;
const SECOND_BETA: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Share of all steps in which the learning rate rises.
const RISE: f64 = 0.05;
/// Share of all steps in which the learning rate falls.
const FALL: f64 = 0.25;

/// Number of steps, learning rate and pull of [`Adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamSchedule {
    /// Number of steps, at least 1.
    pub steps: usize,
    /// Learning rate between its rise and its fall, in units of the code.
    pub rate: f64,
    /// Weight of the mean square distance from the start, which is added to the loss. It keeps the code in the region where
    /// edits work.
    pub pull: f64,
}

impl AdamSchedule {
    /// The learning rate of a step, counted from 0: rate · min(1, t / 0.05) · (1 − cos(π min(1, (1 − t) / 0.25))) / 2, with
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

/// Minimizes a loss by Adam, one step at a time.
///
/// Source: Kingma and Ba, *Adam: A Method for Stochastic Optimization* (ICLR 2015), algorithm 1.
#[derive(Clone, Debug)]
pub struct Adam {
    schedule: AdamSchedule,
    start: Array2<f64>,
    code: Array2<f64>,
    first: Array2<f64>,
    second: Array2<f64>,
    steps: usize,
}

impl Adam {
    /// Makes a minimizer that starts at the code `start` `[rows, dim]`.
    #[must_use]
    pub fn new(start: Array2<f64>, schedule: AdamSchedule) -> Self {
        Self {
            schedule,
            code: start.clone(),
            first: Array2::zeros(start.dim()),
            second: Array2::zeros(start.dim()),
            start,
            steps: 0,
        }
    }

    /// The current code, `[rows, dim]`.
    #[must_use]
    pub fn code(&self) -> &Array2<f64> {
        &self.code
    }

    /// Whether all steps are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps == self.schedule.steps
    }

    /// Takes one step, with the gradient `[rows, dim]` of the loss at [`code`](Self::code).
    ///
    /// # Panics
    /// If the gradient has another shape than the code.
    pub fn step(&mut self, gradient: &Array2<f64>) {
        assert_eq!(
            gradient.dim(),
            self.code.dim(),
            "the gradient must have the shape of the code"
        );
        let rate = self.schedule.rate(self.steps);
        self.steps += 1;
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let (first_left, second_left) = (1.0 - FIRST_BETA.powi(power), 1.0 - SECOND_BETA.powi(power));
        #[expect(clippy::cast_precision_loss, reason = "a code has a few thousand values")]
        let pull = 2.0 * self.schedule.pull / self.code.len() as f64;
        Zip::from(&mut self.code)
            .and(&mut self.first)
            .and(&mut self.second)
            .and(&self.start)
            .and(gradient)
            .for_each(|code, first, second, &start, &gradient| {
                let gradient = gradient + pull * (*code - start);
                *first = FIRST_BETA * *first + (1.0 - FIRST_BETA) * gradient;
                *second = SECOND_BETA * *second + (1.0 - SECOND_BETA) * gradient * gradient;
                *code -= rate * (*first / first_left) / ((*second / second_left).sqrt() + EPSILON);
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: AdamSchedule = AdamSchedule {
        steps: 200,
        rate: 0.1,
        pull: 0.0,
    };

    #[test]
    fn the_learning_rate_rises_then_stays_then_falls_to_zero() {
        assert!(SCHEDULE.rate(0) < 0.01 && SCHEDULE.rate(4) < SCHEDULE.rate(9));
        assert!((SCHEDULE.rate(50) - 0.1).abs() < 1e-12 && (SCHEDULE.rate(140) - 0.1).abs() < 1e-12);
        assert!(SCHEDULE.rate(199) < 1e-4);
    }

    #[test]
    fn the_minimum_of_a_quadratic_is_found() {
        let minimum = Array2::from_shape_fn((2, 3), |(row, column)| {
            [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]][row][column]
        });
        let mut adam = Adam::new(Array2::zeros((2, 3)), SCHEDULE);
        while !adam.is_done() {
            let gradient = 2.0 * (adam.code() - &minimum);
            adam.step(&gradient);
        }
        assert!(
            (adam.code() - &minimum).iter().all(|left| left.abs() < 0.02),
            "{}",
            adam.code()
        );
    }

    #[test]
    fn a_pull_keeps_the_code_near_its_start() {
        let found = |pull| {
            let mut adam = Adam::new(Array2::zeros((1, 1)), AdamSchedule { pull, ..SCHEDULE });
            while !adam.is_done() {
                let gradient = 2.0 * (adam.code() - 1.0);
                adam.step(&gradient);
            }
            adam.code()[[0, 0]]
        };
        // The minimum of (x − 1)² + pull x² is 1 / (1 + pull).
        for pull in [0.0, 1.0, 3.0] {
            assert!(
                (found(pull) - 1.0 / (1.0 + pull)).abs() < 0.02,
                "pull {pull}: {}",
                found(pull)
            );
        }
    }
}
