//! How many boundaries models may have, and how much memory these may take.

use crate::editor::boundary_set::BoundarySet;
use crate::editor::{BoundaryVersion, EditorError};
use crate::latent::LatentSpace;

/// Limits of the boundaries that changes can add. Boundaries of model folders and of the store are loaded in any number.
#[derive(Clone, Copy, Debug)]
pub struct BoundaryLimits {
    /// Most boundaries of one model.
    pub per_model: usize,
    /// Most memory of the boundaries of all models, in bytes.
    pub bytes: usize,
}

impl Default for BoundaryLimits {
    /// 1,000 boundaries a model, and 128 MiB in all: a w+ boundary of 18 layers of 512 takes 74 KB.
    fn default() -> Self {
        Self {
            per_model: 1000,
            bytes: 128 << 20,
        }
    }
}

impl BoundaryLimits {
    /// Checks that a model with `boundaries` may get some of `attributes` in `space`, each of `bytes_each`. They may replace
    /// those that it has; an original that is replaced stays in memory. `in_all` is the memory of the boundaries of all models.
    ///
    /// # Errors
    /// [`EditorError::SimilarAttribute`], [`EditorError::TooManyBoundaries`] or [`EditorError::BoundaryMemory`].
    pub(crate) fn check<'a>(
        self,
        boundaries: &BoundarySet,
        in_all: usize,
        attributes: impl IntoIterator<Item = &'a str>,
        space: LatentSpace,
        bytes_each: usize,
    ) -> Result<(), EditorError> {
        let (mut new, mut added, mut replaced) = (0, 0, 0);
        for attribute in attributes {
            boundaries.check_spelling(attribute)?;
            added += bytes_each;
            match boundaries.find(attribute, space) {
                Some(boundary) => replaced += boundaries.bytes_besides_originals(boundary),
                None => new += 1,
            }
        }
        let found = boundaries.count(BoundaryVersion::Current);
        if new > 0 && found + new > self.per_model {
            return Err(EditorError::TooManyBoundaries {
                model: boundaries.model().to_owned(),
                found,
                new,
                most: self.per_model,
            });
        }
        let (found, most) = (in_all.saturating_sub(replaced) + added, self.bytes);
        if added > replaced && found > most {
            return Err(EditorError::BoundaryMemory { found, most });
        }
        Ok(())
    }
}
