//! The truncation of one request, resolved once against the model.

use std::sync::Arc;

use crate::editor::{EditorError, Model, TruncationChoice};
use crate::latent::{LatentCode, LatentError, LatentSpace, Truncation};

/// What happens to w codes after mapping in one request.
#[derive(Clone)]
pub(crate) struct MappingTruncation {
    /// The truncation and the mean w code; `None` if the model cannot truncate.
    truncation: Option<(Truncation, Arc<[f32]>)>,
    /// Rows of the codes that synthesis takes.
    rows: usize,
    /// Whether the request itself asked for truncation.
    is_requested: bool,
}

impl MappingTruncation {
    /// The request's choice, completed by the model's default.
    ///
    /// # Errors
    /// [`EditorError::NoTruncation`] if the model cannot truncate, and [`EditorError::Latent`] for a psi or a number of
    /// layers that is out of range, even if nothing is mapped.
    pub(crate) fn new(model: &Model, choice: TruncationChoice) -> Result<Self, EditorError> {
        let is_requested = choice != TruncationChoice::default();
        let rows = model.shape().synthesis_rows();
        let Some(mean) = &model.generator().mean else {
            if is_requested {
                let model = model.name().to_owned();
                return Err(EditorError::NoTruncation { model });
            }
            return Ok(Self::none(model));
        };
        let psi = choice.psi.unwrap_or(mean.truncation.psi());
        let truncation = Truncation::new(psi, choice.layers.or(mean.truncation.layers()))?;
        // Applied to any code, it checks the number of layers.
        truncation.apply(
            &LatentCode::from_row(LatentSpace::W, mean.w_avg.to_vec())?,
            &mean.w_avg,
            rows,
        )?;
        Ok(Self {
            truncation: Some((truncation, Arc::clone(&mean.w_avg))),
            rows,
            is_requested,
        })
    }

    /// No truncation.
    pub(crate) fn none(model: &Model) -> Self {
        Self {
            truncation: None,
            rows: model.shape().synthesis_rows(),
            is_requested: false,
        }
    }

    /// Whether the request itself asked for truncation.
    pub(crate) fn is_requested(&self) -> bool {
        self.is_requested
    }

    /// By how much a row of a w+ code changes with the mapped w.
    pub(crate) fn factor(&self, row: usize) -> f64 {
        let truncated = self.truncation.as_ref().map(|(truncation, _)| truncation);
        let applies = |truncation: &&Truncation| truncation.layers().is_none_or(|layers| row < layers);
        truncated.filter(applies).map_or(1.0, Truncation::psi)
    }

    /// A mapped w code, truncated. The result is a w+ code if only the first layers are truncated.
    pub(crate) fn apply(&self, w: LatentCode) -> Result<LatentCode, LatentError> {
        match &self.truncation {
            Some((truncation, w_avg)) => truncation.apply(&w, w_avg, self.rows),
            None => Ok(w),
        }
    }
}
