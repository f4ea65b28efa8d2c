//! Where a boundary comes from, and how accurate it is.

use crate::latent::StyleChannel;

/// How a boundary was found, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    /// Number of codes that were sampled and scored.
    pub samples: Option<u64>,
    /// Number of codes that were selected at each end of the scores, for training and validation together.
    pub chosen: Option<u64>,
    /// If there were only two different scores: the number of codes with the lower one, and with the higher one.
    pub classes: Option<[u64; 2]>,
    /// If the number of samples was found while sampling: why it ended at this number, in words.
    pub sampling: Option<String>,
    /// Seed of the sampling.
    pub seed: Option<u64>,
    /// Name of the classifier that scored the codes.
    pub classifier: Option<String>,
    /// SHA-256 of the classifier's graph, in hexadecimal.
    pub classifier_digest: Option<String>,
    /// SHA-256 of the generator that the codes belong to, in hexadecimal.
    pub model: Option<String>,
    /// Method of the fit.
    pub method: Option<String>,
    /// Date and time of the fit, in the format of RFC 3339.
    pub date: Option<String>,
    /// Length of the normal where the boundary comes from, if it is not the length of a [`Boundary`]'s normal.
    ///
    /// [`Boundary`]: crate::latent::Boundary
    pub length: Option<f64>,
    /// For a boundary in s that was made of ranked channels: the best channels, the best one first. It moves the first of them.
    pub channels: Vec<StyleChannel>,
    /// Accuracy on the codes.
    pub accuracy: Accuracy,
}

/// How well a boundary separates its samples, and how far its normal can be trusted. Shares of codes on the right side are from 0
/// to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Share of the selected codes that the boundary was trained on.
    pub train: Option<f64>,
    /// Share of the selected codes that were held out.
    pub held_out: Option<f64>,
    /// Share of all codes that the boundary was not fitted to.
    pub held_out_all: Option<f64>,
    /// Share of all codes; the right side of a code is the one of its score beside the threshold.
    pub all: Option<f64>,
    /// Correlation between distance and score, on codes that the boundary was not fitted to.
    pub correlation: Option<f64>,
    /// Expected cosine between the normal and the one that unlimited samples would give.
    pub cosine: Option<f64>,
    /// How much higher the score is, on average, one unit further along the normal.
    pub score_per_unit: Option<f64>,
}
