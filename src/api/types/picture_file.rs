//! A picture that a request brings: its file, its pixels, and the code that it stands for.

use std::sync::Arc;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::values::{LatentBody, Object};
use crate::editor::{self, InvertRequest, Model, UndecodedPicture};
use crate::imaging::{decode, read_png_text};

/// Largest picture file, in bytes.
pub(crate) const LARGEST_PICTURE: usize = 20 * 1024 * 1024;

/// Most pixels of a picture.
const MOST_PIXELS: u64 = 25_000_000;

/// Steps of a descent where a request names none.
pub(crate) const STEPS: u32 = 100;

/// A picture's file; base64 in JSON.
#[derive(Clone, Debug)]
pub(crate) struct PictureFile(pub(crate) Bytes);

impl<'de> Deserialize<'de> for PictureFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let file = STANDARD.decode(text);
        file.map(|file| Self(file.into()))
            .map_err(|error| D::Error::custom(format!("not base64: {error}")))
    }
}

/// A code that stands for a picture, and the truncation that it is drawn with.
struct PictureCode {
    latent: Object<LatentBody>,
    psi: Option<f64>,
    truncation_layers: Option<usize>,
}

/// What a PNG of this program says of the face in it.
#[derive(Deserialize)]
struct Carried {
    generator: String,
    latent: LatentBody,
    request: CarriedTruncation,
}

#[derive(Deserialize)]
struct CarriedTruncation {
    psi: Option<f64>,
    truncation_layers: Option<usize>,
}

impl PictureFile {
    /// What decodes it. A few can be there at a time, for each takes much memory when it is called.
    pub(crate) async fn undecoded(self, api: &Api) -> Result<UndecodedPicture, Problem> {
        if self.0.len() > LARGEST_PICTURE {
            return Err(Problem::BodyTooLarge {
                limit: LARGEST_PICTURE,
            });
        }
        let turn = Arc::clone(&api.decoding).acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        Ok(Box::new(move || {
            let _turn = turn;
            decode(&self.0, MOST_PIXELS)
        }))
    }

    /// The code of the picture: the one that it carries, where this model made it, or else the one that is found by the
    /// model's best method.
    async fn code(self, api: &Api, model: &Model) -> Result<PictureCode, Problem> {
        let carried = self
            .carried()
            .filter(|carried| carried.generator == model.generator_digest());
        if let Some(carried) = carried {
            // Truncation belongs to mapping, which only z codes have before them.
            let truncation = carried.request;
            let mapped = !carried.latent.is_z();
            return Ok(PictureCode {
                latent: Object(carried.latent),
                psi: truncation.psi.filter(|_| !mapped),
                truncation_layers: truncation.truncation_layers.filter(|_| !mapped),
            });
        }
        let request = InvertRequest {
            picture: self.undecoded(api).await?,
            framing: None,
            method: None,
            space: None,
            steps: STEPS as usize,
            patience: None,
            starts: 1,
            time_limit: None,
            with_scores: false,
        };
        let inverted = editor::invert(model, request, None).await?;
        Ok(PictureCode {
            latent: Object(LatentBody::file(&inverted.face.code)),
            psi: None,
            truncation_layers: None,
        })
    }

    /// What the file says of itself, where this program wrote it.
    fn carried(&self) -> Option<Carried> {
        let text = read_png_text(&self.0).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }
}

/// The fields of a body that say which face is meant.
pub(crate) struct NamedFace<'a> {
    pub(crate) image: &'a mut Option<PictureFile>,
    pub(crate) seed: Option<u32>,
    pub(crate) latent: &'a mut Option<Object<LatentBody>>,
    pub(crate) psi: &'a mut Option<f64>,
    pub(crate) truncation_layers: &'a mut Option<usize>,
}

impl NamedFace<'_> {
    /// Puts a picture's code into its place, so that what is kept of the request makes the same face again.
    pub(crate) async fn take_code(self, api: &Api, model: &Model) -> Result<(), Problem> {
        let Some(image) = self.image.take() else {
            return Ok(());
        };
        alone(self.seed, self.latent.as_ref())?;
        let code = image.code(api, model).await?;
        *self.latent = Some(code.latent);
        *self.psi = self.psi.or(code.psi);
        *self.truncation_layers = self.truncation_layers.or(code.truncation_layers);
        Ok(())
    }
}

/// Refuses a picture beside another name of the face.
fn alone(seed: Option<u32>, latent: Option<&Object<LatentBody>>) -> Result<(), Problem> {
    let beside = match (seed, latent) {
        (None, None) => return Ok(()),
        (Some(_), _) => "a seed",
        (None, Some(_)) => "a latent code",
    };
    let reason = format!("found {beside} beside it, expected one face: leave out one of the two");
    Err(Problem::field("image", reason))
}
