//! The JSON response of `/v1/invert`, and the events that report its progress.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::openapi::responses::{FaceResponse, WARNINGS};
use crate::api::responses::face::Face;
use crate::api::types::choice::choice;
use crate::editor::{self, InversionMethod};

choice! {
    /// How the code of an image was found.
    pub(crate) enum FoundBy {
        /// The image carried its code: it is a PNG of this model, and the request has no option about the inversion.
        Metadata = "metadata",
        /// One run of the encoder.
        Encoder = "encoder",
        /// Optimization from the mean code.
        Optimize = "optimize",
        /// Optimization from the encoder's result.
        Refine = "refine",
    }
}

impl From<InversionMethod> for FoundBy {
    fn from(method: InversionMethod) -> Self {
        match method {
            InversionMethod::Encoder => Self::Encoder,
            InversionMethod::Optimize => Self::Optimize,
            InversionMethod::Refine => Self::Refine,
        }
    }
}

/// The latent code of an image, and how well it reconstructs the image.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InvertResponse {
    /// The name of the model.
    pub(crate) model: String,
    /// SHA-256 of the model's files and boundaries.
    pub(crate) digest: String,
    /// How the code was found.
    pub(crate) method: FoundBy,
    /// The code and its reconstruction of the image.
    pub(crate) face: Face,
    /// The image as the model received it: cropped or aligned, and scaled; of the same media type as the face's.
    #[schema(content_encoding = "base64")]
    pub(crate) target: String,
    /// The mean squared error of the reconstruction; black is 0 and white is 1.
    pub(crate) mse: f64,
    /// The peak signal-to-noise ratio of the reconstruction, in dB.
    pub(crate) psnr: f64,
    /// The structural similarity of the reconstruction and the image, −1 to 1.
    pub(crate) ssim: f64,
    /// The losses and steps of the optimization; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) optimization: Option<OptimizationResult>,
    /// Warnings, such as an image that the model cannot make.
    pub(crate) warnings: Vec<String>,
}

impl FaceResponse for InvertResponse {
    const DESCRIPTION: &'static str = "The reconstruction of the image.";
    const EVENTS: bool = true;
    const HEADERS: &'static [(&'static str, &'static str)] = &[WARNINGS];
}

/// The losses and the steps of an optimization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OptimizationResult {
    /// The loss of the returned code: the least loss of all steps.
    loss: f32,
    /// The loss before the first step.
    initial_loss: f32,
    /// The perceptual part of the loss, before its weight; absent if the model's gradient graph does not return it.
    #[serde(skip_serializing_if = "Option::is_none")]
    perceptual_loss: Option<f32>,
    /// The number of steps.
    steps: usize,
    /// Whether more steps would hardly lower the loss: no step lowers it, `patience` ran out, or the last tenth of all
    /// steps lowered it by less than 10 %.
    converged: bool,
}

impl From<editor::OptimizationResult> for OptimizationResult {
    fn from(result: editor::OptimizationResult) -> Self {
        Self {
            loss: result.loss,
            initial_loss: result.initial_loss,
            perceptual_loss: result.perceptual_loss,
            steps: result.steps,
            converged: result.converged,
        }
    }
}

/// The data of a `progress` event: a step of an optimization. Some steps have a reconstruction and its similarity to the
/// image.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct InversionProgress {
    /// Steps taken.
    pub(crate) step: usize,
    /// Steps in all, unless the optimization ends earlier.
    pub(crate) steps: usize,
    /// The least loss so far.
    pub(crate) loss: f32,
    /// The mean squared error of the reconstruction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mse: Option<f64>,
    /// The peak signal-to-noise ratio of the reconstruction, in dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) psnr: Option<f64>,
    /// The structural similarity of the reconstruction and the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ssim: Option<f64>,
    /// A JPEG of the reconstruction, at most 256 pixels wide and high.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(content_encoding = "base64", content_media_type = "image/jpeg")]
    pub(crate) image: Option<String>,
}
