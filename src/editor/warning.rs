//! What the caller should know of a picture: how far from what the generator learned, and what was not reached.

use crate::editor::Face;

/// Beyond this distance from a plane pictures begin to leave what the generator learned.
const FAR: f64 = 3.0;
/// Beyond this one no sample is ever found: for d = 512, P(|n·z| > 5) < 10⁻⁶.
const VERY_FAR: f64 = 5.0;

/// Something that the caller should know of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Warning {
    /// A face lies far from the plane.
    Far {
        /// The plane's attribute.
        attribute: String,
        /// The face's signed distance, the largest of the series.
        distance: f64,
    },
    /// The score that was aimed for was not reached.
    Missed {
        /// The attribute.
        attribute: String,
        /// The score asked for.
        wanted: f64,
        /// The nearest found.
        found: f64,
    },
    /// A held attribute's score has moved, whatever was tried.
    NotHeld {
        /// The attribute.
        attribute: String,
        /// Its score before.
        before: f64,
        /// Its score after.
        after: f64,
    },
    /// A face lies where no sample is ever found.
    VeryFar {
        /// The plane's attribute.
        attribute: String,
        /// The face's signed distance, the largest of the series.
        distance: f64,
    },
}

impl Warning {
    /// About the face that lies farthest from the attribute's plane.
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
                "{attribute} is at distance {distance:.2}, beyond {FAR}: the picture may leave what the generator learned"
            ),
            Self::Missed {
                attribute,
                wanted,
                found,
            } => write!(
                formatter,
                "{attribute} was to score {wanted}, and the nearest found scores {found:.3}"
            ),
            Self::NotHeld {
                attribute,
                before,
                after,
            } => write!(
                formatter,
                "{attribute} was to be held at {before:.3}, and the nearest found has {after:.3}"
            ),
            Self::VeryFar { attribute, distance } => write!(
                formatter,
                "{attribute} is at distance {distance:.2}, beyond {VERY_FAR}: no sample is ever found there, the \
                 picture means little"
            ),
        }
    }
}
