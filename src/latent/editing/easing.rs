//! The speed of a motion: how far it has come after a share of its time.

/// The speed of a motion. Names and curves are those of CSS (*CSS Easing Functions Level 1*).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Easing {
    /// The same speed from the start to the end.
    #[default]
    Linear,
    /// Slow at the start.
    EaseIn,
    /// Slow at the end.
    EaseOut,
    /// Slow at the start and at the end.
    EaseInOut,
}

/// Bisections of the curve's parameter: more than an `f64` has bits.
const BISECTIONS: u32 = 60;

impl Easing {
    /// The share of the way after a share `time` of the duration, both from 0 to 1. 0 and 1 are exact.
    #[must_use]
    pub fn progress(self, time: f64) -> f64 {
        let [x, y] = match self {
            Self::Linear => return time,
            Self::EaseIn => [[0.42, 1.0], [0.0, 1.0]],
            Self::EaseOut => [[0.0, 0.58], [0.0, 1.0]],
            Self::EaseInOut => [[0.42, 0.58], [0.0, 1.0]],
        };
        if time <= 0.0 || time >= 1.0 {
            return time;
        }
        // The first coordinate grows with the parameter.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            if bezier(x, middle) < time {
                low = middle;
            } else {
                high = middle;
            }
        }
        bezier(y, high)
    }
}

/// A coordinate of the cubic Bézier curve from 0 to 1 with the inner control points `inner`.
fn bezier([first, second]: [f64; 2], parameter: f64) -> f64 {
    let rest = 1.0 - parameter;
    3.0 * rest * rest * parameter * first
        + 3.0 * rest * parameter * parameter * second
        + parameter * parameter * parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Easing; 4] = [Easing::Linear, Easing::EaseIn, Easing::EaseOut, Easing::EaseInOut];

    #[test]
    fn every_motion_starts_at_0_ends_at_1_and_never_goes_back() {
        for easing in ALL {
            let progress: Vec<f64> = (0..=100).map(|i| easing.progress(f64::from(i) / 100.0)).collect();
            assert_eq!((progress[0], progress[100]), (0.0, 1.0), "{easing:?}");
            assert!(progress.is_sorted(), "{easing:?}");
        }
    }

    /// By an independent solution of CSS's curves, such as `cubic-bezier(0.42, 0, 0.58, 1)` for `ease-in-out`, to four digits.
    #[test]
    fn the_curves_are_those_of_css() {
        let expected = [
            (Easing::EaseIn, 0.25, 0.0935),
            (Easing::EaseIn, 0.5, 0.3154),
            (Easing::EaseOut, 0.5, 0.6846),
            (Easing::EaseInOut, 0.25, 0.1292),
            (Easing::EaseInOut, 0.5, 0.5),
            (Easing::EaseInOut, 0.75, 0.8708),
        ];
        for (easing, time, expected) in expected {
            let found = easing.progress(time);
            assert!((found - expected).abs() < 1e-4, "{easing:?} at {time}: {found}");
        }
    }
}
