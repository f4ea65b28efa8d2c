//! Files inside JSON: base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::value::{Schema, Value, unfit};

/// A file of at most `MOST` bytes, in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base64<const MOST: usize>(pub(crate) Vec<u8>);

impl<const MOST: usize> Value for Base64<MOST> {
    fn expected() -> String {
        format!("a file of at most {MOST} bytes in base64")
    }

    fn from_string(found: &str) -> Result<Self, String> {
        if found.len() > encoded(MOST) {
            return Err(unfit(format!("{} characters", found.len()), &Self::expected()));
        }
        let file = STANDARD.decode(found);
        file.map(Self).map_err(|error| format!("not base64: {error}"))
    }

    fn schema() -> Schema {
        schema(MOST)
    }
}

impl<const MOST: usize> Serialize for Base64<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

/// The characters of `bytes` bytes in base64.
const fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// The schema of a file of at most `most` bytes.
pub(crate) fn schema(most: usize) -> Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .content_encoding("base64")
        .max_length(Some(encoded(most)))
        .into()
}
