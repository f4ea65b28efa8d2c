//! A series of amounts.

use crate::latent::{Easing, LatentError};

/// Positions from `start` to `end`: evenly spaced, or as an [`Easing`] spaces them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trajectory {
    start: f64,
    end: f64,
    steps: u32,
    easing: Easing,
}

impl Trajectory {
    /// Makes a trajectory of `steps` evenly spaced positions from `start` to `end`. `end` may be less than `start`.
    ///
    /// # Errors
    ///
    /// [`LatentError::TrajectoryEnds`] if an end or the difference of both is not finite, and [`LatentError::NoSteps`] for
    /// 0 steps.
    pub fn new(start: f64, end: f64, steps: u32) -> Result<Self, LatentError> {
        if !(end - start).is_finite() {
            return Err(LatentError::TrajectoryEnds { start, end });
        }
        if steps == 0 {
            return Err(LatentError::NoSteps);
        }
        Ok(Self {
            start,
            end,
            steps,
            easing: Easing::Linear,
        })
    }

    /// The same trajectory at another speed.
    #[must_use]
    pub fn with_easing(self, easing: Easing) -> Self {
        Self { easing, ..self }
    }

    /// The first position.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.start
    }

    /// The last position, if there is more than one step.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.end
    }

    /// The number of positions.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The positions start + i (end − start)/(steps − 1) for i = 0 … steps − 1, with both ends exact. One step gives
    /// `start`. The bits are those of `numpy.linspace(start, end, steps)`. With an easing e, i/(steps − 1) is replaced by
    /// e(i/(steps − 1)).
    #[must_use]
    pub fn positions(&self) -> Vec<f64> {
        let last = self.steps - 1;
        let length = self.end - self.start;
        let step = length / f64::from(last.max(1));
        let inner = (0..last.max(1)).map(|i| match self.easing {
            Easing::Linear => f64::from(i) * step + self.start,
            easing => easing.progress(f64::from(i) / f64::from(last.max(1))) * length + self.start,
        });
        inner.chain((last > 0).then_some(self.end)).collect()
    }
}

impl Default for Trajectory {
    /// The reference's default: 10 steps from −3 to 3.
    fn default() -> Self {
        Self {
            start: -3.0,
            end: 3.0,
            steps: 10,
            easing: Easing::Linear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_is_the_start() {
        assert_eq!(Trajectory::new(2.0, 5.0, 1).unwrap().positions(), [2.0]);
    }

    #[test]
    fn both_ends_are_exact() {
        assert_eq!(Trajectory::new(0.0, 1.0, 3).unwrap().positions(), [0.0, 0.5, 1.0]);
        assert_eq!(Trajectory::new(3.0, -3.0, 2).unwrap().positions(), [3.0, -3.0]);
        assert_eq!(Trajectory::default().positions().len(), 10);
    }

    #[test]
    fn an_easing_moves_the_inner_positions_only() {
        let even = Trajectory::new(-2.0, 2.0, 5).unwrap();
        let eased = even.with_easing(Easing::EaseInOut).positions();
        assert_eq!((eased[0], eased[2], eased[4]), (-2.0, 0.0, 2.0));
        assert!(eased[1] < -1.0 && eased[3] > 1.0, "{eased:?}");
    }

    #[test]
    fn zero_steps_and_infinite_lengths_are_refused() {
        assert_eq!(Trajectory::new(0.0, 1.0, 0), Err(LatentError::NoSteps));
        for (start, end) in [(f64::NAN, 0.0), (0.0, f64::INFINITY), (f64::MIN, f64::MAX)] {
            assert!(matches!(
                Trajectory::new(start, end, 2),
                Err(LatentError::TrajectoryEnds { .. })
            ));
        }
    }
}
