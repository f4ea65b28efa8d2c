//! Content Credentials (C2PA): a signed statement in an image file that says which program made the image, and how.

use std::fmt;

use crate::imaging::ImagingError;

#[cfg(feature = "c2pa")]
type Signer = c2pa::BoxedSigner;
#[cfg(not(feature = "c2pa"))]
type Signer = std::convert::Infallible;

/// Why image files cannot be signed. The message says what was found, what was expected, and what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The program cannot sign.
    #[error("this program was built without Content Credentials; build it with --features c2pa")]
    NotBuiltIn,
    /// The certificate and the key make no valid signature.
    #[error(
        "found a certificate and a key that make no valid signature ({reason}); expected a PEM file with the certificate of the signer, \
         which C2PA allows to sign, and those that lead to its authority, and a PEM file with its private key (PKCS #8) for ES256, \
         ES384 or Ed25519"
    )]
    Unusable {
        /// What is wrong with the signature by each algorithm.
        reason: String,
    },
}

/// Signs image files: a certificate and its private key.
pub struct ContentCredentials {
    signer: Signer,
}

impl fmt::Debug for ContentCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ContentCredentials")
            .finish_non_exhaustive()
    }
}

#[cfg(not(feature = "c2pa"))]
impl ContentCredentials {
    /// A program without the feature `c2pa` signs nothing.
    ///
    /// # Errors
    /// [`CredentialsError::NotBuiltIn`].
    pub fn new(_certificate: &[u8], _key: &[u8]) -> Result<Self, CredentialsError> {
        Err(CredentialsError::NotBuiltIn)
    }

    /// Nobody can call this, because [`Self::new`] makes no signer.
    ///
    /// # Errors
    /// None.
    pub fn sign(&self, _file: &[u8], _media_type: &str, _source_type: &str) -> Result<Vec<u8>, ImagingError> {
        match self.signer {}
    }
}

#[cfg(feature = "c2pa")]
impl ContentCredentials {
    /// The signer with a certificate chain and a private key, both as PEM. It signs an image and reads the signature back: a key that
    /// does not belong to the certificate makes signatures, too.
    ///
    /// # Errors
    /// [`CredentialsError::Unusable`] if no algorithm makes a valid signature.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, CredentialsError> {
        use c2pa::SigningAlg::{Ed25519, Es256, Es384};

        let mut reasons = Vec::new();
        // RSA is left out: its implementation takes longer for some keys than for others, which betrays them.
        for algorithm in [Es256, Es384, Ed25519] {
            match Self::by(algorithm, certificate, key) {
                Ok(credentials) => return Ok(credentials),
                Err(reason) => reasons.push(format!("{algorithm}: {reason}")),
            }
        }
        let reason = reasons.join("; ");
        Err(CredentialsError::Unusable { reason })
    }

    fn by(algorithm: c2pa::SigningAlg, certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        use crate::imaging::{FileMetadata, Image, ImageRange, PngCompression, encode_png};
        use ndarray::Array3;

        let signer = c2pa::create_signer::from_keys(certificate, key, algorithm, None);
        let credentials = Self {
            signer: signer.map_err(|error| error.to_string())?,
        };
        let grey = Image::from_tensor(Array3::zeros((3, 8, 8)).view(), ImageRange::SIGNED);
        let file = grey.and_then(|grey| {
            let file = encode_png(&grey, PngCompression::Fast, &FileMetadata::default())?;
            credentials.sign(&file, "image/png", "algorithmicMedia")
        });
        let reader = c2pa::Reader::from_context(c2pa::Context::new()).with_stream(
            "image/png",
            std::io::Cursor::new(file.map_err(|error| error.to_string())?),
        );
        let reader = reader.map_err(|error| error.to_string())?;
        match reader.validation_state() {
            c2pa::ValidationState::Invalid => {
                let statuses = reader.validation_status().unwrap_or_default();
                let codes: Vec<&str> = statuses
                    .iter()
                    .map(c2pa::validation_status::ValidationStatus::code)
                    .collect();
                Err(codes.join(", "))
            }
            // No authority is trusted without a list. Whom they trust is up to those who read the images.
            c2pa::ValidationState::Valid | c2pa::ValidationState::Trusted => Ok(credentials),
        }
    }

    /// The same image file with the statement. `source_type` is a term of IPTC's vocabulary, such as `trainedAlgorithmicMedia`.
    ///
    /// Two signatures of the same file differ.
    ///
    /// # Errors
    /// [`ImagingError::Signing`], for example if the certificate has expired.
    pub fn sign(&self, file: &[u8], media_type: &str, source_type: &str) -> Result<Vec<u8>, ImagingError> {
        use crate::imaging::files::xmp::SOURCE_TYPES;
        use serde_json::json;
        use std::io::Cursor;

        let statement = json!({
            "claim_generator_info": [{"name": "faceplane", "version": env!("CARGO_PKG_VERSION")}],
            "assertions": [{
                "label": "c2pa.actions",
                "data": {"actions": [{
                    "action": "c2pa.created",
                    "digitalSourceType": format!("{SOURCE_TYPES}{source_type}"),
                }]},
            }],
        });
        let mut signed = Cursor::new(Vec::with_capacity(file.len()));
        let made = c2pa::Builder::from_context(c2pa::Context::new())
            .with_definition(statement)
            .and_then(|mut builder| {
                builder.sign(
                    self.signer.as_ref(),
                    media_type,
                    &mut Cursor::new(file),
                    &mut signed,
                )
            });
        made.map_err(|error| ImagingError::Signing {
            reason: error.to_string(),
        })?;
        Ok(signed.into_inner())
    }
}
