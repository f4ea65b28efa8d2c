//! Codes and scores from files, and the boundary between them.

use std::ops::ControlFlow;
use std::time::SystemTime;

use ndarray::{ArcArray, Array3, ArrayView1, Axis, Ix3};

use crate::catalog::NpyArray;
use crate::editor::EditorError;
use crate::editor::timestamp::rfc3339;
use crate::latent::{Boundary, BoundaryFit, CodesToFit, LatentSpace, Provenance, SharedCodes};

/// Codes with one score each.
#[derive(Clone, Debug)]
pub struct LabelledCodes {
    /// `[samples, rows, dim]`.
    pub codes: ArcArray<f32, Ix3>,
    /// One score for each code, in double precision: the same file gives the same boundary over HTTP and on the command
    /// line.
    pub scores: Vec<f64>,
}

/// Why two arrays are not codes with scores.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LabelledCodesError {
    /// The array of codes has a wrong shape.
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
    /// The array of scores has a wrong shape.
    #[error("found the shape {found:?}, expected ({samples})")]
    Scores {
        /// The shape found.
        found: Vec<usize>,
        /// How many codes there are.
        samples: usize,
    },
}

impl LabelledCodes {
    /// Combines codes of shape (samples, dim), or (samples, layers, dim) in w+, with scores of shape (samples) or
    /// (samples, 1).
    ///
    /// # Errors
    /// [`LabelledCodesError`] for other shapes.
    pub fn new(space: LatentSpace, codes: NpyArray, scores: NpyArray) -> Result<Self, LabelledCodesError> {
        let dims = match (space, &codes.shape[..]) {
            (LatentSpace::WPlus, &[samples, layers, dim]) => (samples, layers, dim),
            (LatentSpace::Z | LatentSpace::W | LatentSpace::S, &[samples, dim] | &[samples, 1, dim]) => {
                (samples, 1, dim)
            }
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

    /// The same codes, with one of `step` moved to the end: a share of each part of the list, since lists may be sorted by score.
    pub(crate) fn held_out_last(&self, step: usize) -> Self {
        let is_last = |index: &usize| index % step == step - 1;
        let (last, mut order): (Vec<usize>, Vec<usize>) = (0..self.scores.len()).partition(is_last);
        order.extend(last);
        Self {
            codes: self.codes.select(Axis(0), &order).into_shared(),
            scores: order.into_iter().map(|index| self.scores[index]).collect(),
        }
    }

    /// Fits the boundary between low and high scores. Each fit of the same codes gets the same `shared`. `on_progress` gets the share
    /// that is done, 0 to 1.
    ///
    /// # Errors
    /// [`EditorError::Latent`] for codes that cannot be separated.
    pub fn separate(
        &self,
        attribute: &str,
        space: LatentSpace,
        fit: &BoundaryFit,
        shared: &SharedCodes,
        mut on_progress: impl FnMut(f64),
    ) -> Result<Boundary, EditorError> {
        let provenance = Provenance {
            date: Some(rfc3339(SystemTime::now())),
            ..Provenance::default()
        };
        let never_cancel = |share| {
            on_progress(share);
            ControlFlow::Continue(())
        };
        let scores = ArrayView1::from(&self.scores);
        Ok(fit.fit(
            attribute,
            space,
            CodesToFit::shared(self.codes.view(), shared),
            scores,
            provenance,
            never_cancel,
        )?)
    }
}
