//! Codes and scores that the caller has, as files, and the plane between them.

use std::ops::ControlFlow;
use std::time::SystemTime;

use ndarray::{ArcArray, Array3, ArrayView1, Ix3};

use crate::catalog::NpyArray;
use crate::editor::EditorError;
use crate::editor::jobs::date::rfc3339;
use crate::latent::{Boundary, LatentSpace, Provenance, Separation};

/// Codes `[samples, rows, dim]`, and a score for each.
#[derive(Clone, Debug)]
pub struct LabelledCodes {
    /// The codes.
    pub codes: ArcArray<f32, Ix3>,
    /// Their scores.
    pub scores: Vec<f64>,
}

/// Why two arrays are no scored codes.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelledCodesError {
    /// The codes have a shape that codes in this space do not have.
    #[error(
        "found the shape {found:?}, expected {} for codes in {space}",
        if *space == LatentSpace::WPlus { "(samples, layers, dim)" } else { "(samples, dim)" }
    )]
    Codes {
        /// The shape found.
        found: Vec<usize>,
        /// The space of the codes.
        space: LatentSpace,
    },
    /// There is not one score for each code.
    #[error("found the shape {found:?}, expected ({samples})")]
    Scores {
        /// The shape found.
        found: Vec<usize>,
        /// How many codes there are.
        samples: usize,
    },
}

impl LabelledCodes {
    /// Puts codes of shape (samples, dim), in w+ (samples, layers, dim), and scores of shape (samples) or (samples, 1)
    /// together.
    ///
    /// # Errors
    /// [`LabelledCodesError`] for other shapes.
    pub fn new(space: LatentSpace, codes: NpyArray, scores: NpyArray) -> Result<Self, LabelledCodesError> {
        let dims = match (space, &codes.shape[..]) {
            (LatentSpace::WPlus, &[samples, layers, dim]) => (samples, layers, dim),
            (LatentSpace::Z | LatentSpace::W, &[samples, dim] | &[samples, 1, dim]) => (samples, 1, dim),
            _ => {
                return Err(LabelledCodesError::Codes {
                    found: codes.shape,
                    space,
                });
            }
        };
        if !matches!(scores.shape[..], [count] | [count, 1] if count == dims.0) {
            return Err(LabelledCodesError::Scores {
                found: scores.shape,
                samples: dims.0,
            });
        }
        #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
        let values = codes.values.into_iter().map(|value| value as f32).collect();
        let codes =
            Array3::from_shape_vec(dims, values).expect("an array holds as many values as its shape says");
        Ok(Self {
            codes: codes.into_shared(),
            scores: scores.values,
        })
    }

    /// The plane between the ends of the scores; `told` hears the share that is done.
    ///
    /// # Errors
    /// [`EditorError::Latent`] for codes that cannot be separated.
    pub fn separate(
        &self,
        attribute: &str,
        space: LatentSpace,
        separation: &Separation,
        mut told: impl FnMut(f64),
    ) -> Result<Boundary, EditorError> {
        let known = Provenance {
            method: Some(separation.method.to_string()),
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        };
        let watch = |share| {
            told(share);
            ControlFlow::Continue(())
        };
        let scores = ArrayView1::from(&self.scores);
        Ok(separation.separate(attribute, space, self.codes.view(), scores, known, watch)?)
    }
}
