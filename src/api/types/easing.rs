//! The speed of a motion, by the names of CSS.

use crate::api::types::choice::choice;
use crate::latent;

choice! {
    /// The speed of a motion: an easing function of CSS.
    pub(crate) enum Easing {
        /// The same speed from the start to the end; the default.
        Linear = "linear",
        /// Slow at the start.
        EaseIn = "ease-in",
        /// Slow at the end.
        EaseOut = "ease-out",
        /// Slow at the start and at the end.
        EaseInOut = "ease-in-out",
    }
}

impl From<Easing> for latent::Easing {
    fn from(easing: Easing) -> Self {
        match easing {
            Easing::Linear => Self::Linear,
            Easing::EaseIn => Self::EaseIn,
            Easing::EaseOut => Self::EaseOut,
            Easing::EaseInOut => Self::EaseInOut,
        }
    }
}
