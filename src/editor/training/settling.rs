//! When to stop sampling: as soon as the direction of each attribute has settled.

use crate::editor::training::comparison::HELD_OUT;
use crate::editor::training::request::KeepRule;
use crate::latent::CODES_PER_VALUE;

/// A direction with this expected cosine has settled: a seventh of the length of an edit goes in other directions.
const SETTLED: f64 = 0.99;
/// The fewest samples.
const LEAST: usize = 1000;

/// The number of samples at which the directions are looked at first, for codes of `values` values: as many as an estimate of the
/// cosine takes, and those that are held out.
pub(crate) fn first_samples(values: usize, keep: KeepRule) -> usize {
    let fitted = CODES_PER_VALUE * values;
    let samples = match keep {
        KeepRule::New => fitted,
        KeepRule::Better => (fitted * HELD_OUT).div_ceil(HELD_OUT - 1),
    };
    samples.max(LEAST)
}

/// How exact the directions of several attributes are: the least exact of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exactness {
    attribute: String,
    /// The expected cosine with the direction of unlimited samples. `None` if it is unknown.
    cosine: Option<f64>,
}

impl Exactness {
    /// That of no attribute.
    pub(crate) const PERFECT: Self = Self {
        attribute: String::new(),
        cosine: Some(1.0),
    };

    /// This one, or that of `attribute` if it is less exact.
    pub(crate) fn or_less(self, attribute: &str, cosine: Option<f64>) -> Self {
        // None is less than every cosine.
        if self.cosine < cosine {
            return self;
        }
        Self {
            attribute: attribute.to_owned(),
            cosine,
        }
    }

    /// Whether all directions have settled.
    pub(crate) fn has_settled(&self) -> bool {
        self.cosine.is_some_and(|cosine| cosine >= SETTLED)
    }

    /// How many samples to look at next, after `samples`: between 1.25 and 2 times as many.
    ///
    /// The error 1/c² − 1 of a direction falls with the number of samples.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate of a number of samples"
    )]
    pub(crate) fn next_samples(&self, samples: usize) -> usize {
        let error = |cosine: f64| 1.0 / (cosine * cosine) - 1.0;
        let factor = self.cosine.map_or(2.0, |cosine| error(cosine) / error(SETTLED));
        (samples as f64 * factor.clamp(1.25, 2.0)).ceil() as usize
    }

    /// Why the sampling ended at `samples`.
    pub(crate) fn reason(&self, samples: usize) -> String {
        let Self { attribute, cosine } = self;
        match cosine {
            Some(cosine) if self.has_settled() => format!(
                "ended at {samples} samples, because the directions have settled: each has an expected cosine of at least {SETTLED}, \
                 and {attribute} has the lowest, {cosine:.4}"
            ),
            Some(cosine) => format!(
                "ended at {samples} samples, the most, before all directions had settled: {attribute} has an expected cosine of \
                 {cosine:.4}, below {SETTLED}"
            ),
            None => format!(
                "ended at {samples} samples, the most, before all directions had settled: the expected cosine of {attribute} is not \
                 known"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sampling_goes_on_until_the_least_exact_direction_has_settled() {
        let of = |cosines: &[Option<f64>]| {
            let names = ["age", "smile", "pose"];
            let each = names.iter().zip(cosines);
            each.fold(Exactness::PERFECT, |least, (name, &cosine)| {
                least.or_less(name, cosine)
            })
        };
        let settled = of(&[Some(0.995), Some(0.991), Some(0.999)]);
        assert!(settled.has_settled());
        let reason = settled.reason(3000);
        assert!(
            reason.contains("3000") && reason.contains("smile has the lowest, 0.9910"),
            "{reason}"
        );
        let open = of(&[Some(0.995), Some(0.97), Some(0.98)]);
        assert!(
            !open.has_settled() && open.reason(9).contains("smile"),
            "{open:?}"
        );
        let unknown = of(&[None, Some(0.97)]);
        assert!(
            !unknown.has_settled() && unknown.reason(9).contains("age"),
            "{unknown:?}"
        );
    }

    #[test]
    fn the_next_number_of_samples_is_what_the_error_calls_for() {
        let next = |cosine| Exactness::PERFECT.or_less("age", cosine).next_samples(1000);
        assert_eq!(next(None), 2000);
        assert_eq!(next(Some(0.0)), 2000);
        assert_eq!(next(Some(0.9)), 2000);
        assert_eq!(next(Some(0.9899)), 1250);
        assert!((1400..1600).contains(&next(Some(0.985))), "{}", next(Some(0.985)));
    }
}
