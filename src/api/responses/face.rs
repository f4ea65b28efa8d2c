//! A face in a JSON response.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::types::latent::Latent;
use crate::editor;

/// A face.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Face {
    /// The seed of the face; absent if it did not come from a seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, maximum = 4_294_967_295u64)]
    seed: Option<u32>,
    /// The latent code. Sent back as `latent`, it gives the same face.
    latent: Latent,
    /// The signed distance from the boundary of each attribute, in the space of the code: n·code + b.
    distances: BTreeMap<String, f64>,
    /// The score of each attribute. `/v1/models/{model}` tells what a score means.
    scores: BTreeMap<String, f32>,
    /// The image of the face: a PNG, or what `picture_format` asks for; absent if the request wants no pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(content_encoding = "base64")]
    image: Option<String>,
    /// The media type of the image; absent without an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "image/png")]
    media_type: Option<&'static str>,
}

impl Face {
    /// `face`, with the file of its image in base64.
    pub(crate) fn new(face: editor::Face, image: String, media_type: &'static str) -> Self {
        Self {
            seed: face.seed,
            latent: Latent::numbers(&face.code),
            distances: face.distances,
            scores: face.scores,
            image: Some(image),
            media_type: Some(media_type),
        }
    }

    /// `face`, which has no image.
    pub(crate) fn measured(face: editor::MeasuredFace) -> Self {
        Self {
            seed: face.seed,
            latent: Latent::numbers(&face.code),
            distances: face.distances,
            scores: face.scores,
            image: None,
            media_type: None,
        }
    }
}
