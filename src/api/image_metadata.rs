//! The metadata in an image file: what reproduces its faces, and what kind of media it is.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::types::latent::Latent;
use crate::api::types::output_options::Metadata;
use crate::catalog::{DigitalSourceType, ProvenanceEntry};
use crate::editor::{Face, Model};
use crate::imaging::FileMetadata;
use crate::latent::LatentCode;

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

/// What an image is that an uploaded photograph is part of.
pub(crate) const PHOTOGRAPH: DigitalSourceType = DigitalSourceType::CompositeWithTrainedAlgorithmicMedia;

/// The metadata of the images that one request makes.
pub(crate) struct ImageMetadata {
    model: String,
    digest: String,
    generator: String,
    provenance: ProvenanceEntry,
    record: RequestRecord,
}

/// The recipe: what reproduces an image, as JSON.
#[derive(Serialize)]
struct Recipe<'a> {
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
            provenance: model.generator().provenance,
            record,
        }
    }

    /// The same metadata, for images that show an uploaded photograph if `is_photograph`.
    pub(crate) fn of_photograph(mut self, is_photograph: bool) -> Self {
        if is_photograph {
            self.provenance.digital_source_type = PHOTOGRAPH;
        }
        self
    }

    /// The metadata of the file of an image: of `face`, or of several faces.
    pub(crate) fn of_file(&self, face: Option<&Face>, extent: Metadata) -> FileMetadata {
        self.of_code(face.map(|face| &face.code), extent)
    }

    /// The metadata of the file of an image of one code, or of several.
    pub(crate) fn of_code(&self, code: Option<&LatentCode>, extent: Metadata) -> FileMetadata {
        let full = extent == Metadata::Full;
        let marked = full || !self.provenance.optional;
        FileMetadata {
            recipe: full.then(|| self.recipe(code)),
            digital_source_type: marked.then(|| self.provenance.digital_source_type.term().to_owned()),
        }
    }

    fn recipe(&self, code: Option<&LatentCode>) -> String {
        let recipe = Recipe {
            faceplane: env!("CARGO_PKG_VERSION"),
            model: &self.model,
            digest: &self.digest,
            generator: &self.generator,
            path: self.record.path,
            request: &self.record.request,
            latent: code.map(Latent::file),
        };
        serde_json::to_string(&recipe).expect("texts and a code are JSON")
    }
}
