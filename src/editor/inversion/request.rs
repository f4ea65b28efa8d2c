//! The request to invert an image, and its result.

use std::time::Duration;

use crate::editor::Face;
use crate::editor::editing::warning::Warning;
use crate::editor::inversion::method::InversionMethod;
use crate::editor::inversion::optimization::OptimizationResult;
use crate::engine::Timings;
use crate::imaging::{Framing, Image, Similarity};
use crate::latent::LatentSpace;

/// An image to invert.
pub struct InvertRequest {
    /// SHA-256 of the image's file.
    pub image_digest: [u8; 32],
    /// The part of the image to use. If `None`, the model's landmark graph finds the face; without that graph it is the
    /// centre.
    pub framing: Option<Framing>,
    /// How its code is searched.
    pub options: InversionOptions,
    /// Whether the reconstruction is scored, and compared with the image.
    pub with_scores: bool,
}

/// How the code of an image is searched.
#[derive(Clone, Debug)]
pub struct InversionOptions {
    /// The method; `None` for the best that the model supports.
    pub method: Option<InversionMethod>,
    /// The space of the code. If `None`: the encoder's space, or w for [`InversionMethod::Optimize`].
    pub space: Option<LatentSpace>,
    /// Most steps of gradient descent.
    pub steps: usize,
    /// Early stopping: gradient descent ends after this number of steps in which the loss fell by less than
    /// 10 %. With as many as `steps`, it never ends early. `None` for the method's usual patience.
    pub patience: Option<usize>,
    /// How many codes [`InversionMethod::Optimize`] starts from, at least 1: the mean code, and the codes of the seeds 0,
    /// 1, and so on.
    pub starts: usize,
    /// Time after which no further step begins.
    pub time_limit: Option<Duration>,
}

impl Default for InversionOptions {
    fn default() -> Self {
        Self {
            method: None,
            space: None,
            steps: 100,
            patience: None,
            starts: 1,
            time_limit: None,
        }
    }
}

/// The code of an image, and its reconstruction.
#[derive(Clone, Debug)]
pub struct Inverted {
    /// The code and its image, the reconstruction.
    pub face: Face,
    /// The part of the image that was inverted, in the generator's size.
    pub target: Image,
    /// The method used; `None` if the image carried its code.
    pub method: Option<InversionMethod>,
    /// How similar the reconstruction is to the target, if the request asked for scores.
    pub similarity: Option<Similarity>,
    /// The result of gradient descent, if the method uses it.
    pub optimization: Option<OptimizationResult>,
    /// What the caller should know about the result.
    pub warnings: Vec<Warning>,
    /// The time that each part took.
    pub timings: Timings,
}
