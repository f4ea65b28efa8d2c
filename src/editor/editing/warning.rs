//! Warnings: faces far from what the generator learned, scores that were not reached, and images that were not matched.

use crate::editor::editing::gradient_walk::result::{Walk, WalkEnd};
use crate::editor::editing::score_search::result::ScoreSearchResult;
use crate::latent::Spread;

/// Standard deviations of the samples from their mean beyond which images begin to leave what the generator learned.
const FAR: f64 = 3.0;
/// Standard deviations beyond which hardly any sample is found: of normally distributed ones, fewer than 1 of 1,000,000.
const VERY_FAR: f64 = 5.0;
/// Least increase of this number that counts as a move farther out. A smaller one is rounding, or too small to see.
const FARTHER: f64 = 0.01;

/// A fact about a result that the caller should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// An edit moves a face out of where the samples are.
    Far {
        /// The edited attribute.
        attribute: String,
        /// The signed distance of the face of the series that is farthest out.
        distance: f64,
        /// The same in standard deviations from the mean of the samples.
        deviations: f64,
    },
    /// An edit moves a face out of where the samples are, seen along the way of the face.
    FarAlongWay {
        /// The distance of the face from the mean of the samples along its way, in standard deviations of these.
        deviations: f64,
    },
    /// The search did not reach the target score.
    ScoreNotReached {
        /// The attribute.
        attribute: String,
        /// The target score.
        target: f64,
        /// The nearest score found.
        found: f64,
    },
    /// A walk along a gradient ended before its length.
    PathEnded {
        /// The attribute.
        attribute: String,
        /// The length of the path.
        length: f64,
        /// The length asked for.
        asked: f64,
        /// Why it ended.
        end: WalkEnd,
    },
    /// The score of a held attribute changed.
    NotHeld {
        /// The attribute.
        attribute: String,
        /// Its score before the edit.
        before: f64,
        /// Its score after the edit.
        after: f64,
    },
    /// The image of the code that an inversion found resembles the inverted image little.
    PoorReconstruction {
        /// The peak signal-to-noise ratio of thumbnails, in dB.
        psnr: f64,
        /// The structural similarity of thumbnails.
        ssim: f64,
    },
}

impl Warning {
    /// A warning about an edit from the signed distance `before` to those of `after`, if one of these is outside of where the
    /// samples are, and farther out than `before`.
    pub(crate) fn of_distances(attribute: &str, spread: Spread, before: f64, after: &[f64]) -> Option<Self> {
        let out = |distance: f64| spread.deviations(distance).map_or(0.0, f64::abs);
        let farthest = after.iter().copied().max_by(|&a, &b| out(a).total_cmp(&out(b)))?;
        Some(Self::Far {
            attribute: attribute.to_owned(),
            distance: farthest,
            deviations: leaves(spread, before, farthest)?,
        })
    }

    /// A warning about a way from `before` to `after`, distances along it, if it ends outside of where the samples are.
    pub(crate) fn of_way(spread: Spread, before: f64, after: f64) -> Option<Self> {
        let deviations = leaves(spread, before, after)?;
        Some(Self::FarAlongWay { deviations })
    }
}

/// The distance `after` in standard deviations from the mean of the samples, if that is outside of where these are, and farther out than
/// `before`.
fn leaves(spread: Spread, before: f64, after: f64) -> Option<f64> {
    let (before, after) = (spread.deviations(before)?, spread.deviations(after)?);
    (after.abs() > FAR && after.abs() > before.abs() + FARTHER).then_some(after)
}

/// What a distance of this many standard deviations from the mean of the samples means.
fn meaning(deviations: f64) -> String {
    if deviations.abs() > VERY_FAR {
        format!("beyond {VERY_FAR}: hardly any sample is there, so the image means little")
    } else {
        format!("beyond {FAR}: few samples are there, so the image may leave what the generator learned")
    }
}

impl Warning {
    /// What the caller should know about a search for a score.
    pub(crate) fn of_search(search: &ScoreSearchResult) -> Vec<Self> {
        let missed = (!search.reached).then(|| Self::ScoreNotReached {
            attribute: search.attribute.clone(),
            target: search.target,
            found: search.after,
        });
        let changed = search.held.iter().filter(|(_, score)| !score.held);
        let changed = changed.map(|(attribute, score)| Self::NotHeld {
            attribute: attribute.clone(),
            before: score.before,
            after: score.after,
        });
        missed.into_iter().chain(changed).collect()
    }

    /// What the caller should know about a walk along a gradient.
    pub(crate) fn of_walk(walk: &Walk) -> Vec<Self> {
        let missed = (!walk.end.is_reached()).then(|| match walk.target {
            Some(target) => Self::ScoreNotReached {
                attribute: walk.attribute.clone(),
                target,
                found: walk.after,
            },
            None => Self::PathEnded {
                attribute: walk.attribute.clone(),
                length: walk.length,
                asked: walk.asked_length.unwrap_or(walk.length),
                end: walk.end,
            },
        });
        let changed = walk.held.iter().filter(|(_, score)| !score.held);
        let changed = changed.map(|(attribute, score)| Self::NotHeld {
            attribute: attribute.clone(),
            before: score.before,
            after: score.after,
        });
        missed.into_iter().chain(changed).collect()
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Far {
                attribute,
                distance,
                deviations,
            } => {
                let side = if *deviations < 0.0 { "below" } else { "above" };
                let out = deviations.abs();
                let meaning = meaning(*deviations);
                write!(
                    formatter,
                    "{attribute} is moved to the distance {distance:.2}, {out:.1} standard deviations {side} the samples' mean, {meaning}"
                )
            }
            Self::FarAlongWay { deviations } => {
                let (out, meaning) = (deviations.abs(), meaning(*deviations));
                write!(
                    formatter,
                    "along its way, the face is moved to {out:.1} standard deviations from the samples' mean, {meaning}"
                )
            }
            Self::ScoreNotReached {
                attribute,
                target,
                found,
            } => write!(
                formatter,
                "the target score of {attribute} is {target}, and the nearest that was found is {found:.3}"
            ),
            Self::PathEnded {
                attribute,
                length,
                asked,
                end,
            } => write!(
                formatter,
                "the walk along the gradient of {attribute} ended after {length:.2} of {asked:.2}: {end}"
            ),
            Self::NotHeld {
                attribute,
                before,
                after,
            } => write!(
                formatter,
                "{attribute} is to be held at the score {before:.3}, and the nearest that was found is {after:.3}"
            ),
            Self::PoorReconstruction { psnr, ssim } => write!(
                formatter,
                "the reconstruction resembles the image little (PSNR {psnr:.1} dB, SSIM {ssim:.2}): the image has no face \
                 where the model's images have it, or the model cannot make this face"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPREAD: Spread = Spread {
        mean: 1.0,
        deviation: 2.0,
    };

    fn warned(before: f64, after: &[f64]) -> Option<(f64, f64)> {
        match Warning::of_distances("smile", SPREAD, before, after)? {
            Warning::Far {
                distance, deviations, ..
            } => Some((distance, deviations)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn an_edit_out_of_the_samples_range_has_a_warning() {
        assert_eq!(warned(1.0, &[9.0]), Some((9.0, 4.0)));
        assert_eq!(warned(1.0, &[-9.0, 1.0, 9.0, 3.0]), Some((-9.0, -5.0)));
        // Distances are counted from the mean.
        assert_eq!(warned(1.0, &[6.9]), None);
        assert_eq!(warned(1.0, &[-5.1]), Some((-5.1, -3.05)));
    }

    #[test]
    fn a_face_that_was_out_there_before_has_none() {
        assert_eq!(warned(11.0, &[11.0]), None);
        assert_eq!(warned(11.0, &[11.01, 9.0]), None);
        assert_eq!(warned(-9.0, &[11.0]), None, "as far out on the other side");
        assert_eq!(warned(9.0, &[11.0]), Some((11.0, 5.0)));
    }

    #[test]
    fn samples_of_one_distance_warn_of_nothing() {
        let spread = Spread {
            mean: 0.0,
            deviation: 0.0,
        };
        assert_eq!(Warning::of_distances("smile", spread, 0.0, &[100.0]), None);
    }
}
