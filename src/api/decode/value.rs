//! What a value of a request must offer: how it is read from JSON and from text, and its schema.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Serialize;
use serde::de::{MapAccess, SeqAccess};
use utoipa::openapi;

use crate::api::decode::position::Position;

/// A schema of the OpenAPI document, or a reference to one.
pub(crate) type Schema = openapi::RefOr<openapi::Schema>;

/// Most characters of a found text that an error repeats.
const MOST_QUOTED: usize = 60;

/// A value of a request. JSON gives it as a number, a string, a list or an object, whichever the type accepts; a URL or form
/// gives it as text. It is written as JSON the way it is read.
///
/// Each reading function that a type leaves out refuses what was found.
pub(crate) trait Value: Sized + Serialize {
    /// Whether the value is a file: base64 in JSON, a part of its own in a form, and absent from URLs and from records of the
    /// request.
    const IS_FILE: bool = false;

    /// Whether an optional field of this type may be null, which is the same as absent. Some generated clients send null for a field
    /// of any type that has no value.
    const NULL_IS_ABSENT: bool = false;

    /// What the value must be in JSON, as an error says it: "a number from -2 to 2".
    fn expected() -> String;

    /// What the value must be in a URL or form.
    fn expected_text() -> String {
        Self::expected()
    }

    /// Reads a JSON number. Every integer up to 2⁵³ is exact as `f64`, and no field takes a larger one.
    fn from_number(found: f64) -> Result<Self, String> {
        Err(unfit(found, &Self::expected()))
    }

    /// Reads a JSON boolean.
    fn from_bool(found: bool) -> Result<Self, String> {
        Err(unfit(found, &Self::expected()))
    }

    /// Reads a JSON string.
    fn from_string(found: &str) -> Result<Self, String> {
        Err(unfit(quoted(found), &Self::expected()))
    }

    /// Reads a JSON list, element by element.
    fn from_list<'de, A: SeqAccess<'de>>(_: A, at: Position<'_>) -> Result<Self, A::Error> {
        Err(at.refuse(unfit("a list", &Self::expected())))
    }

    /// Reads a JSON object, field by field.
    fn from_object<'de, A: MapAccess<'de>>(_: A, at: Position<'_>) -> Result<Self, A::Error> {
        Err(at.refuse(unfit("an object", &Self::expected())))
    }

    /// Reads the text of a URL or form.
    fn from_text(found: &str) -> Result<Self, String> {
        Err(unfit(quoted(found), &Self::expected_text()))
    }

    /// Reads all texts that a URL or form gives for one key. Only lists accept more than one.
    fn from_texts(found: &[Cow<'_, str>]) -> Result<Self, String> {
        match found {
            [text] => Self::from_text(text),
            _ => Err(format!("found it {} times, expected it once", found.len())),
        }
    }

    /// The schema of the value in JSON.
    fn schema() -> Schema;

    /// The schema of the value in a URL or form.
    fn text_schema() -> Schema {
        Self::schema()
    }

    /// Adds the named schemas that [`Value::schema`] refers to.
    fn components(_: &mut Vec<(String, Schema)>) {}
}

/// The schema of values of any type but those of the schema `not`.
pub(crate) fn anything_but(not: serde_json::Value) -> Schema {
    openapi::ObjectBuilder::new()
        .schema_type(openapi::schema::SchemaType::AnyValue)
        .extensions(Some(openapi::extensions::Extensions::from_iter([("not", not)])))
        .into()
}

/// The reason for refusing `found`.
pub(crate) fn unfit(found: impl Display, expected: &str) -> String {
    format!("found {found}, expected {expected}")
}

/// A text in quotation marks, shortened if it is long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}… ({} bytes)", &text[..end], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened_in_errors() {
        assert_eq!(quoted("smile"), "\"smile\"");
        let long = quoted(&"é".repeat(1000));
        assert!(long.len() < 200 && long.ends_with("(2000 bytes)"), "{long}");
    }
}
