//! A code that optimization starts from.

use crate::latent::{LatentCode, LatentError};

/// A code to start from, and the anchor that the loss pulls it towards. Both have one shape and space.
pub(crate) struct StartCode {
    pub(crate) code: LatentCode,
    pub(crate) anchor: LatentCode,
}

impl StartCode {
    /// A code that is its own anchor.
    pub(crate) fn anchored(code: LatentCode) -> Self {
        let anchor = code.clone();
        Self { code, anchor }
    }

    /// Both codes repeated for `rows` layers of w+.
    pub(crate) fn broadcast(&self, rows: usize) -> Result<Self, LatentError> {
        Ok(Self {
            code: self.code.broadcast(rows)?,
            anchor: self.anchor.broadcast(rows)?,
        })
    }
}
