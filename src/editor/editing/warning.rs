//! Warnings: faces far from what the generator learned, scores that were not reached, and images that were not matched.

use crate::editor::Face;

/// Distance from a boundary beyond which images begin to leave what the generator learned.
const FAR: f64 = 3.0;
/// Distance beyond which no sample is ever found: for d = 512, P(|n·z| > 5) < 10⁻⁶.
const VERY_FAR: f64 = 5.0;

/// A fact about a result that the caller should know.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// A face is far from a boundary.
    Far {
        /// The boundary's attribute.
        attribute: String,
        /// The face's signed distance, the largest of the series.
        distance: f64,
    },
    /// A face is where no sample is ever found.
    VeryFar {
        /// The boundary's attribute.
        attribute: String,
        /// The face's signed distance, the largest of the series.
        distance: f64,
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
    /// A warning about the face that is farthest from the attribute's boundary, if that is far.
    pub(crate) fn of_distance(attribute: &str, faces: &[Face]) -> Option<Self> {
        let distances = faces
            .iter()
            .filter_map(|face| face.distances.get(attribute))
            .copied();
        let distance = distances.max_by(|a, b| a.abs().total_cmp(&b.abs()))?;
        let attribute = attribute.to_owned();
        match distance.abs() {
            far if far > VERY_FAR => Some(Self::VeryFar { attribute, distance }),
            far if far > FAR => Some(Self::Far { attribute, distance }),
            _ => None,
        }
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Far { attribute, distance } => write!(
                formatter,
                "{attribute} is at distance {distance:.2}, beyond {FAR}: the image may leave what the generator learned"
            ),
            Self::VeryFar { attribute, distance } => write!(
                formatter,
                "{attribute} is at distance {distance:.2}, beyond {VERY_FAR}: no sample is ever found there, so the image \
                 means little"
            ),
            Self::ScoreNotReached {
                attribute,
                target,
                found,
            } => write!(
                formatter,
                "the target score of {attribute} is {target}, and the nearest that was found is {found:.3}"
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
