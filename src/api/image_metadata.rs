//! The metadata in a PNG: what reproduces its faces.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::types::latent::Latent;
use crate::editor::{Face, Model};

/// A request as JSON, with everything that reproduces its response: the model is named, and a face without a seed or a code
/// has got one. It is serialized once, for the cache key and for the metadata.
pub(crate) struct RequestRecord {
    path: &'static str,
    request: Box<RawValue>,
}

impl RequestRecord {
    /// The record of `request`, sent to `path`.
    pub(crate) fn new(path: &'static str, request: &impl Serialize) -> Self {
        let request = serde_json::value::to_raw_value(request);
        let request = request.expect("a request that was decoded from JSON can be JSON again");
        Self { path, request }
    }

    /// The path of the operation.
    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    /// The request as JSON.
    pub(crate) fn json(&self) -> &str {
        self.request.get()
    }
}

/// The metadata of the images that one request makes.
pub(crate) struct ImageMetadata {
    model: String,
    digest: String,
    generator: String,
    record: RequestRecord,
}

/// The metadata as JSON.
#[derive(Serialize)]
struct MetadataDocument<'a> {
    /// The version of the program.
    faceplane: &'static str,
    model: &'a str,
    /// Digest of the model's files and boundaries.
    digest: &'a str,
    /// Digest of the generator. A code gives the same face on every model with this generator.
    generator: &'a str,
    path: &'static str,
    request: &'a RawValue,
    /// The code of the face, if the image shows one face.
    #[serde(skip_serializing_if = "Option::is_none")]
    latent: Option<Latent>,
}

impl ImageMetadata {
    /// The metadata of the images that `model` makes for a request.
    pub(crate) fn new(model: &Model, record: RequestRecord) -> Self {
        Self {
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            generator: model.generator_digest().to_owned(),
            record,
        }
    }

    /// The text for an image: of `face`, or of several faces.
    pub(crate) fn text(&self, face: Option<&Face>) -> String {
        let text = MetadataDocument {
            faceplane: env!("CARGO_PKG_VERSION"),
            model: &self.model,
            digest: &self.digest,
            generator: &self.generator,
            path: self.record.path,
            request: &self.record.request,
            latent: face.map(|face| Latent::file(&face.code)),
        };
        serde_json::to_string(&text).expect("texts and a code are JSON")
    }
}
