//! The request for batch work: what is made of each seed, and which faces are kept.

use std::fmt;
use std::str::FromStr;

use crate::editor::{EditorError, FaceSource, ManyFaces, Model};
use crate::imaging::Image;
use crate::latent::LatentCode;

/// What is made of each seed.
#[derive(Clone, Debug)]
pub struct BatchRequest {
    /// The edits, the space and the truncation. Its only source stands for all seeds.
    pub faces: ManyFaces,
    /// The images of a run of the generator.
    pub batch_size: usize,
    /// Whether faces are scored.
    pub with_scores: bool,
    /// Whether faces are kept with their images.
    pub with_images: bool,
    /// What the scores of a face must be to be kept; with edits, those of the edited face.
    pub keep: Vec<ScoreLimit>,
    /// What the scores of a face must be before its edits.
    pub keep_originals: Vec<ScoreLimit>,
    /// The least similarity of the person in an edited face to the one before the edits, from −1 to 1.
    pub least_similarity: Option<f64>,
}

/// A limit on the score of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreLimit {
    attribute: String,
    side: Side,
    score: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    AtLeast,
    AtMost,
}

impl Side {
    const SIGNS: [(&str, Self); 2] = [(">=", Self::AtLeast), ("<=", Self::AtMost)];
}

/// A text is no limit on a score.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found {found:?}, expected ATTRIBUTE>=SCORE or ATTRIBUTE<=SCORE, such as smile>=0.5; quote it for the shell"
)]
pub struct InvalidScoreLimit {
    found: String,
}

impl FromStr for ScoreLimit {
    type Err = InvalidScoreLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let limit = |(sign, side): (&str, Side)| {
            let (attribute, score) = text.split_once(sign)?;
            let (attribute, score) = (attribute.trim(), score.trim().parse().ok()?);
            let is_limit = !attribute.is_empty() && f32::is_finite(score);
            is_limit.then(|| Self {
                attribute: attribute.to_owned(),
                side,
                score,
            })
        };
        Side::SIGNS
            .into_iter()
            .find_map(limit)
            .ok_or_else(|| InvalidScoreLimit {
                found: text.to_owned(),
            })
    }
}

impl fmt::Display for ScoreLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.side {
            Side::AtLeast => ">=",
            Side::AtMost => "<=",
        };
        write!(formatter, "{}{sign}{}", self.attribute, self.score)
    }
}

/// Limits with the column of the score of each.
pub(crate) struct Limits(Vec<(usize, ScoreLimit)>);

impl Limits {
    /// The limits, for the scores of `model`.
    ///
    /// # Errors
    /// [`EditorError`] if the model has no classifier of an attribute.
    pub(crate) fn of(model: &Model, limits: &[ScoreLimit]) -> Result<Self, EditorError> {
        let column = |limit: &ScoreLimit| {
            let column = model.classifiers().column(&limit.attribute)?;
            Ok((column, limit.clone()))
        };
        limits
            .iter()
            .map(column)
            .collect::<Result<_, EditorError>>()
            .map(Self)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the scores of a face are within all limits. A NaN is not.
    pub(crate) fn accept(&self, scores: &[f32]) -> bool {
        self.0.iter().all(|(column, limit)| match limit.side {
            Side::AtLeast => scores[*column] >= limit.score,
            Side::AtMost => scores[*column] <= limit.score,
        })
    }
}

/// A face that batch work made and kept.
#[derive(Clone, Debug)]
pub struct BatchFace {
    /// The seed.
    pub seed: u32,
    /// The index of its position, if the edits follow a trajectory.
    pub position: Option<usize>,
    /// Its code.
    pub code: LatentCode,
    /// Its image, if the request wants images.
    pub image: Option<Image>,
    /// The score of each attribute, in the order of the model's outputs; empty if the request wants none.
    pub scores: Vec<f32>,
    /// How similar the person is to the one before the edits, from −1 to 1, if the request has a limit on it.
    pub similarity: Option<f64>,
}

impl BatchRequest {
    /// The source of the face of a seed.
    pub(crate) fn source(&self, seed: u32) -> FaceSource {
        match self.faces.sources.first() {
            Some(FaceSource::LabelledSeed(_, label)) => FaceSource::LabelledSeed(seed, label.clone()),
            _ => FaceSource::Seed(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_they_are_shown() {
        for (text, shown) in [
            ("smile>=0.5", "smile>=0.5"),
            (" head size <= -2 ", "head size<=-2"),
            ("a>=1e3", "a>=1000"),
        ] {
            assert_eq!(text.parse::<ScoreLimit>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "smile",
            "smile>0.5",
            ">=1",
            "smile>=",
            "smile>=NaN",
            "smile=>1",
        ] {
            assert!(text.parse::<ScoreLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_face_is_kept_if_all_its_scores_are_within_the_limits() {
        let limit = |column, text: &str| (column, text.parse().unwrap());
        let limits = Limits(vec![limit(1, "smile>=0.5"), limit(0, "age<=2")]);
        for (scores, is_kept) in [
            ([2.0, 0.5], true),
            ([2.1, 0.5], false),
            ([2.0, 0.4], false),
            ([f32::NAN, 0.5], false),
        ] {
            assert_eq!(limits.accept(&scores), is_kept, "{scores:?}");
        }
    }
}
