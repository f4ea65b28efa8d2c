//! The numbers of a latent code or of a normal, as the document describes them.

use serde_json::json;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, SchemaType};

/// A list of numbers, or of rows of numbers.
///
/// The items are described by what they are not: of all shapes that were tried, generators make wrong code of a choice
/// between two lists and of a list of two types, and take this one.
pub(crate) fn numbers_or_rows() -> Array {
    let not = json!({ "type": ["string", "object", "boolean", "null"] });
    let item = ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .extensions(Some(Extensions::from_iter([("not", not)])));
    let text = "Numbers: a list in z and w; in w+ a list of such lists, one a layer.";
    ArrayBuilder::new().items(item).description(Some(text)).build()
}
