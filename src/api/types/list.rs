//! Lists: JSON lists, or in a URL or form repeated keys and texts separated by commas.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::SeqAccess;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, SchemaType, Type};

use crate::api::decode::position::Position;
use crate::api::decode::reader::Reader;
use crate::api::decode::value::{Schema, Value};

/// A list of `LEAST` to `MOST` values. Reading stops at the limit. If it may be empty, empty texts in a URL or form are no values.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct List<T, const LEAST: usize, const MOST: usize>(pub(crate) Vec<T>);

impl<T: Value, const LEAST: usize, const MOST: usize> List<T, LEAST, MOST> {
    fn checked(values: Vec<T>) -> Result<Self, String> {
        if values.len() >= LEAST {
            return Ok(Self(values));
        }
        Err(format!("found {}, expected {LEAST} to {MOST}", values.len()))
    }

    fn too_many() -> String {
        format!("found more than {MOST}, expected at most {MOST}")
    }
}

impl<T: Value, const LEAST: usize, const MOST: usize> Value for List<T, LEAST, MOST> {
    fn expected() -> String {
        format!("a list of {LEAST} to {MOST}, each {}", T::expected())
    }

    fn expected_text() -> String {
        T::expected_text()
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut list: A, at: Position<'_>) -> Result<Self, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Reader::new(at.index(values.len())))? {
            if values.len() == MOST {
                return Err(at.refuse(Self::too_many()));
            }
            values.push(value);
        }
        Self::checked(values).map_err(|reason| at.refuse(reason))
    }

    fn from_texts(found: &[Cow<'_, str>]) -> Result<Self, String> {
        let mut values = Vec::new();
        let given = found.iter().filter(|text| LEAST > 0 || !text.is_empty());
        for text in given.flat_map(|texts| texts.split(',')) {
            if values.len() == MOST {
                return Err(Self::too_many());
            }
            values.push(T::from_text(text)?);
        }
        Self::checked(values)
    }

    fn schema() -> Schema {
        array(T::schema(), LEAST, MOST)
    }

    fn text_schema() -> Schema {
        let mut items = T::text_schema();
        // A comma separates values, so no value may have one.
        if let RefOr::T(utoipa::openapi::Schema::Object(text)) = &mut items
            && text.schema_type == SchemaType::from(Type::String)
        {
            text.pattern.get_or_insert_with(|| "^[^,]*$".to_owned());
            text.min_length = text.min_length.filter(|_| LEAST > 0);
        }
        array(items, LEAST, MOST)
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        T::components(components);
    }
}

fn array(items: Schema, least: usize, most: usize) -> Schema {
    ArrayBuilder::new()
        .items(items)
        .min_items((least > 0).then_some(least))
        .max_items(Some(most))
        .into()
}
