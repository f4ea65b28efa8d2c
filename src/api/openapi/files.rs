//! Image files as the document describes them.

use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// An image file.
pub(crate) struct ImageFile;

impl ToSchema for ImageFile {}

impl PartialSchema for ImageFile {
    fn schema() -> RefOr<Schema> {
        bytes("An image file.").into()
    }
}

/// The bytes of a file.
pub(crate) fn bytes(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
        .description(Some(description))
}
