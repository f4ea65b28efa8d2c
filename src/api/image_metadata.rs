//! What an image file says about its image: what reproduces its faces, what kind of media it is, and who signs that.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::output::Output;
use crate::api::types::latent::Latent;
use crate::api::types::output_options::Metadata;
use crate::catalog::{DigitalSourceType, ProvenanceEntry};
use crate::editor::Model;
use crate::imaging::{ContentCredentials, FileMetadata, Image, ImagingError};
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
    credentials: Option<Arc<ContentCredentials>>,
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
            credentials: None,
        }
    }

    /// The same metadata, in files that are signed, if there are credentials.
    pub(crate) fn signed(self, credentials: Option<Arc<ContentCredentials>>) -> Self {
        Self { credentials, ..self }
    }

    /// Whether the files of a response are signed. Two signatures of the same file differ.
    pub(crate) fn is_signed(&self, extent: Metadata) -> bool {
        self.credentials.is_some() && self.is_marked(extent)
    }

    /// The same metadata, for images that show an uploaded photograph if `is_photograph`.
    pub(crate) fn of_photograph(mut self, is_photograph: bool) -> Self {
        if is_photograph {
            self.provenance.digital_source_type = PHOTOGRAPH;
        }
        self
    }

    /// The file of an image: of one code, or of several.
    pub(crate) fn encode(
        &self,
        image: &Image,
        code: Option<&LatentCode>,
        output: Output,
    ) -> Result<Vec<u8>, ImagingError> {
        let file = output.encode(image, &self.of_code(code, output.metadata))?;
        self.sign(file, output)
    }

    /// The one file of several images: a sheet, or an animation.
    pub(crate) fn encode_all(&self, images: &[Image], output: Output) -> Result<Vec<u8>, ImagingError> {
        let file = output.encode_all(images, &self.of_code(None, output.metadata))?;
        self.sign(file, output)
    }

    fn sign(&self, file: Vec<u8>, output: Output) -> Result<Vec<u8>, ImagingError> {
        match &self.credentials {
            Some(credentials) if self.is_marked(output.metadata) => credentials.sign(
                &file,
                output.image_format.media_type(),
                self.provenance.digital_source_type.term(),
            ),
            _ => Ok(file),
        }
    }

    /// Whether a file says what kind of media it is.
    fn is_marked(&self, extent: Metadata) -> bool {
        extent == Metadata::Full || !self.provenance.optional
    }

    fn of_code(&self, code: Option<&LatentCode>, extent: Metadata) -> FileMetadata {
        let source_type = self.provenance.digital_source_type.term();
        FileMetadata {
            recipe: (extent == Metadata::Full).then(|| self.recipe(code)),
            digital_source_type: self.is_marked(extent).then(|| source_type.to_owned()),
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
