//! Reads a JSON body, and the fields of an object.

use std::cell::RefCell;

use serde::Serialize;
use serde::de::{DeserializeSeed as _, Error as _, MapAccess};

use crate::api::decode::describe::{add_component, reference};
use crate::api::decode::fields::{Field, Fields};
use crate::api::decode::position::Position;
use crate::api::decode::reader::Reader;
use crate::api::decode::refusal::{missing, shortened, unknown};
use crate::api::decode::syntax::not_json;
use crate::api::decode::value::{Schema, Value};
use crate::api::problem::Problem;

/// The mark that some editors and shells put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a JSON body.
pub(crate) fn read<T: Fields>(body: &[u8]) -> Result<T, Problem> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let refused = RefCell::default();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Reader::<Object<T>>::new(Position::body(&refused)).deserialize(&mut json);
    let read = read.and_then(|Object(value)| json.end().map(|()| value));
    read.map_err(|error| match refused.take() {
        Some(refusal) => refusal.into(),
        None => Problem::Undecodable {
            reason: not_json(body, &error),
        },
    })
}

/// Reads an object's fields: each at most once, all that are required, and no others.
pub(crate) fn object<'de, T: Fields, A: MapAccess<'de>>(
    mut object: A,
    at: Position<'_>,
) -> Result<T, A::Error> {
    let known = Field::all::<T>();
    let mut seen = vec![false; known.len()];
    let mut value = T::default();
    while let Some(key) = object.next_key::<String>()? {
        let Some(index) = known.iter().position(|field| field.json == key) else {
            let key = shortened(&key);
            let names = known.iter().map(|field| field.json);
            return Err(at.end(unknown(at.key(&key).path(), names)));
        };
        let field = at.key(known[index].json);
        if std::mem::replace(&mut seen[index], true) {
            return Err(field.refuse("found it twice, expected it once".to_owned()));
        }
        let read = value.read_json(known[index].json, &mut object, field);
        read.unwrap_or_else(|| Err(A::Error::custom("a known field is read")))?;
    }
    for (field, seen) in known.iter().zip(seen) {
        if field.required && !seen {
            return Err(at.end(missing(at.key(field.json).path(), &(field.expected)())));
        }
    }
    Ok(value)
}

/// An object with named fields, as a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Object<T>(pub(crate) T);

impl<T: Fields> Value for Object<T> {
    fn expected() -> String {
        "an object".to_owned()
    }

    fn from_object<'de, A: MapAccess<'de>>(fields: A, at: Position<'_>) -> Result<Self, A::Error> {
        object(fields, at).map(Self)
    }

    fn schema() -> Schema {
        reference::<T>()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        add_component::<T>(components);
    }
}
