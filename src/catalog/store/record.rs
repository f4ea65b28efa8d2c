//! The JSON of a boundary in a store. It has the normal and the metadata, so that both change together.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::catalog::{BoundaryMetadata, CatalogError, NpyArray};
use crate::latent::{Boundary, LatentSpace, UnknownSpace};

/// The content of one file of the store.
#[derive(Clone, Debug)]
pub enum StoreEntry {
    /// This boundary replaces that of the model folder.
    Boundary(Box<Boundary>),
    /// The boundary of the model folder is hidden. Services before version 0.2 wrote this when it was deleted.
    Removed {
        /// Attribute of the boundary.
        attribute: String,
        /// Latent space of the boundary.
        space: LatentSpace,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Record {
    Boundary {
        #[serde(rename = "card")]
        metadata: Box<BoundaryMetadata>,
        npy: String,
    },
    Removed {
        attribute: String,
        space: String,
    },
}

impl StoreEntry {
    /// The attribute and the space.
    pub(super) fn key(&self) -> (String, LatentSpace) {
        match self {
            Self::Boundary(boundary) => (boundary.attribute().to_owned(), boundary.space()),
            Self::Removed { attribute, space } => (attribute.clone(), *space),
        }
    }

    /// Reads the content of a `file`.
    pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Self, CatalogError> {
        let wrong = |reason: String| CatalogError::BoundaryMetadata {
            file: file.to_owned(),
            reason,
        };
        let record = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        match record {
            Record::Removed { attribute, space } => Ok(Self::Removed {
                attribute,
                space: space
                    .parse()
                    .map_err(|reason: UnknownSpace| CatalogError::Latent {
                        file: file.to_owned(),
                        reason: reason.into(),
                    })?,
            }),
            Record::Boundary { metadata, npy } => {
                let npy = STANDARD
                    .decode(npy)
                    .map_err(|error| wrong(format!("found npy that is not base64: {error}")))?;
                let array = NpyArray::read(&npy).map_err(|reason| CatalogError::Array {
                    file: file.to_owned(),
                    reason: reason.into(),
                })?;
                Ok(Self::Boundary(Box::new(metadata.boundary(array, file, file)?)))
            }
        }
    }
}

/// The file of a boundary.
pub(super) fn boundary_json(boundary: &Boundary) -> Vec<u8> {
    let record = Record::Boundary {
        metadata: Box::new(BoundaryMetadata::of(boundary)),
        npy: STANDARD.encode(NpyArray::of_normal(boundary).write_f8()),
    };
    let mut text = serde_json::to_vec_pretty(&record).expect("a record has finite numbers and texts only");
    text.push(b'\n');
    text
}
