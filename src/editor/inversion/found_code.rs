//! The code that an inversion found, and how much its image resembles the target.

use crate::editor::editing::warning::Warning;
use crate::editor::inversion::optimization::OptimizationResult;
use crate::imaging::{Image, Similarity, shrunk};
use crate::latent::LatentCode;

/// The longest side at which a reconstruction and its target are compared, in pixels. At this size, details that a model
/// cannot make, such as single hairs, count little.
const THUMBNAIL: usize = 64;
/// The PSNR in dB below which a reconstruction counts as poor.
const LEAST_PSNR: f64 = 20.0;
/// The SSIM below which a reconstruction counts as poor.
const LEAST_SSIM: f64 = 0.6;

/// The code of an image, and what is known of its quality.
#[derive(Clone, Debug)]
pub struct FoundCode {
    /// The code.
    pub code: LatentCode,
    /// The result of gradient descent, if the method uses it.
    pub optimization: Option<OptimizationResult>,
    /// The similarity of thumbnails of the reconstruction and the target.
    pub(crate) likeness: Similarity,
}

impl FoundCode {
    /// A warning, if the reconstruction resembles the target little.
    #[must_use]
    pub fn warning(&self) -> Option<Warning> {
        let Similarity { psnr, ssim, .. } = self.likeness;
        (psnr < LEAST_PSNR || ssim < LEAST_SSIM).then_some(Warning::PoorReconstruction { psnr, ssim })
    }

    /// Whether a time limit ended the search, so that another search may find a better code.
    pub(crate) fn was_cut_short(&self) -> bool {
        self.optimization.is_some_and(|result| result.cut_short)
    }
}

/// The similarity of thumbnails of two images of the same size.
pub(crate) fn likeness(one: Image, other: Image) -> Similarity {
    Similarity::of(&shrunk(one, THUMBNAIL), &shrunk(other, THUMBNAIL))
}
