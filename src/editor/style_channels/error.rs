//! Why styles cannot be used.

/// Styles cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StyleError {
    /// The model's generator has no styles.
    #[error(
        "model {model} has no s codes: {reason}; s needs a generator that makes the styles of its layers of w"
    )]
    None {
        /// The model.
        model: String,
        /// Why not.
        reason: String,
    },
    /// The better boundary is to be kept.
    #[error(
        "found keep=better in s, where boundaries of ranked style channels are not compared; leave out keep, and to have the current boundary too, give names"
    )]
    NotCompared,
    /// The ranking of style channels may make too few images.
    #[error(
        "found {found} samples, expected at least {least} in s: each of the {channels} style channels is moved in one face or more; \
         send samples=auto"
    )]
    TooFewImages {
        /// Requested samples.
        found: usize,
        /// Fewest samples.
        least: usize,
        /// The generator's channels.
        channels: usize,
    },
}
