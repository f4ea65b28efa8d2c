//! The latent spaces.

use crate::api::types::choice::choice;
use crate::latent::LatentSpace;

choice! {
    /// A latent space.
    pub(crate) enum Space {
        /// The space of the random codes, of shape (dim).
        Z = "z",
        /// The space after the mapping network, of shape (dim).
        W = "w",
        /// One w code for each layer, of shape (layers, dim).
        WPlus = "w+",
        /// The styles of all layers side by side, of shape (channels).
        S = "s",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro declares the enum")]
impl Default for Space {
    fn default() -> Self {
        Self::Z
    }
}

impl From<LatentSpace> for Space {
    fn from(space: LatentSpace) -> Self {
        match space {
            LatentSpace::Z => Self::Z,
            LatentSpace::W => Self::W,
            LatentSpace::WPlus => Self::WPlus,
            LatentSpace::S => Self::S,
        }
    }
}

impl From<Space> for LatentSpace {
    fn from(space: Space) -> Self {
        match space {
            Space::Z => Self::Z,
            Space::W => Self::W,
            Space::WPlus => Self::WPlus,
            Space::S => Self::S,
        }
    }
}
