//! An image file in a request: its bytes, its pixels, and its latent code.

use std::sync::Arc;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::api::decode::fields::Fields;
use crate::api::decode::value::{Schema, Value};
use crate::api::encoding::off_thread;
use crate::api::image_metadata::PHOTOGRAPH;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::types::base64::{Base64, schema};
use crate::api::types::label::ClassLabel;
use crate::api::types::latent::Latent;
use crate::api::types::space::Space;
use crate::editor::{
    self, EditorError, FoundCode, InversionOptions, InvertRequest, Model, TruncationChoice, UndecodedImage,
};
use crate::engine::MemoryUse;
use crate::imaging::{FileMetadata, Framing, decode, decoding_memory, read_metadata};
use crate::latent::Label;

/// The largest image file, in bytes.
pub(crate) const LARGEST_IMAGE: usize = 20 * 1024 * 1024;

/// An image file: base64 in JSON, the part `file` of a form, or the whole body.
#[derive(Clone, Debug, Default)]
pub(crate) struct UploadedImage(pub(crate) Bytes);

/// A request that has an image file.
pub(crate) trait HasImage: Fields {
    /// Puts the file into its field.
    fn set_image(&mut self, file: UploadedImage);

    /// Takes the file out of its field.
    fn take_image(&mut self) -> Option<UploadedImage>;
}

impl Value for UploadedImage {
    const IS_FILE: bool = true;

    fn expected() -> String {
        "an image file in base64".to_owned()
    }

    fn from_string(found: &str) -> Result<Self, String> {
        let Base64(file) = Base64::<LARGEST_IMAGE>::from_string(found)?;
        Ok(Self(file.into()))
    }

    fn schema() -> Schema {
        schema(LARGEST_IMAGE)
    }
}

impl Serialize for UploadedImage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// The latent code that an image carries, and the truncation to synthesize it with.
pub(crate) struct CarriedCode {
    pub(crate) latent: Latent,
    pub(crate) truncation: TruncationChoice,
    /// Whether the code was found from a photograph.
    pub(crate) of_photograph: bool,
}

/// What the image of a request was.
pub(crate) enum TakenImage {
    /// One with its latent code, which is in the request now.
    Carried {
        /// Whether the code was found from a photograph.
        of_photograph: bool,
    },
    /// One to invert.
    Unknown(ImageToInvert),
}

impl TakenImage {
    /// Whether images of its face show an uploaded photograph.
    pub(crate) fn is_photograph(&self) -> bool {
        match self {
            Self::Carried { of_photograph } => *of_photograph,
            Self::Unknown(_) => true,
        }
    }
}

/// An image without a known latent code.
pub(crate) struct ImageToInvert {
    pub(crate) image: UploadedImage,
    /// The part of the image, if the request names one.
    pub(crate) framing: Option<Framing>,
}

impl ImageToInvert {
    /// The latent code by the model's best method.
    pub(crate) async fn invert(self, api: &Api, model: &Model) -> Result<FoundCode, Problem> {
        let request = InvertRequest {
            image_digest: self.image.digest().await?,
            framing: self.framing,
            options: InversionOptions::default(),
            with_scores: false,
        };
        let image = self.image.undecoded(api);
        editor::find_code(model, &api.inversions, request, image).await
    }
}

/// What the recipe in an image of this program says of the face in it. Other keys are skipped.
#[derive(Deserialize)]
struct Carried {
    generator: String,
    latent: CarriedLatent,
    request: CarriedTruncation,
}

#[derive(Deserialize)]
struct CarriedLatent {
    space: String,
    /// Images of before had it as `npy`.
    #[serde(alias = "npy")]
    file: String,
    label: Option<CarriedLabel>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum CarriedLabel {
    Class(usize),
    Vector(Vec<f32>),
}

#[derive(Deserialize)]
struct CarriedTruncation {
    psi: Option<f64>,
    truncation_layers: Option<u32>,
}

impl CarriedLatent {
    fn latent(self) -> Option<Latent> {
        let space = Space::from_string(&self.space).ok()?;
        let label = self.label.map(|label| match label {
            CarriedLabel::Class(class) => Label::Class(class),
            CarriedLabel::Vector(numbers) => Label::Vector(numbers.into()),
        });
        let latent = Latent::of_file(space, STANDARD.decode(&self.file).ok()?);
        let label = label.map(ClassLabel);
        Some(Latent { label, ..latent })
    }
}

impl UploadedImage {
    /// The image with the memory to decode it. It holds one of few permits.
    pub(crate) async fn undecoded(self, api: &Api) -> Result<UndecodedImage, Problem> {
        if self.0.len() > LARGEST_IMAGE {
            return Err(Problem::BodyTooLarge { limit: LARGEST_IMAGE });
        }
        let permit = Arc::clone(&api.decoding).acquire_owned().await;
        let permit = permit.expect("nobody closes the semaphore");
        let file = self.0.clone();
        let most_pixels = api.limits.image_pixels;
        let bytes = tokio::task::spawn_blocking(move || decoding_memory(&file, most_pixels)).await;
        let bytes = bytes.expect("reading a header does not panic");
        let bytes = bytes.map_err(EditorError::Undecodable)?;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(UndecodedImage {
            memory: api.memory.reserve(MemoryUse::Image, bytes)?,
            decode: Box::new(move || {
                let _permit = permit;
                decode(&self.0, most_pixels)
            }),
        })
    }

    /// SHA-256 of the file. It takes some ten milliseconds for a large file.
    pub(crate) async fn digest(&self) -> Result<[u8; 32], Problem> {
        let file = self.0.clone();
        off_thread(move || Ok(Sha256::digest(&file).into())).await
    }

    /// The code in the file's metadata, if `generator` made the image.
    pub(crate) fn carried(&self, generator: &str) -> Option<CarriedCode> {
        let FileMetadata {
            recipe,
            digital_source_type,
        } = read_metadata(&self.0);
        let carried: Carried = serde_json::from_str(&recipe?).ok()?;
        if carried.generator != generator {
            return None;
        }
        let latent = carried.latent.latent()?;
        // Truncation belongs to mapping, which only z codes have before them.
        let CarriedTruncation {
            psi,
            truncation_layers,
        } = carried.request;
        let mapped = !latent.is_z();
        let layers = truncation_layers.and_then(|layers| usize::try_from(layers).ok());
        Some(CarriedCode {
            of_photograph: digital_source_type.is_some_and(|term| term == PHOTOGRAPH.term()),
            latent,
            truncation: TruncationChoice {
                psi: psi.filter(|_| !mapped),
                layers: layers.filter(|_| !mapped),
            },
        })
    }
}
