//! The visitor that hands each JSON value to its type.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::api::decode::position::Position;
use crate::api::decode::value::{Value, unfit};

/// Reads a value: it calls the reading function for the kind of JSON found. Null is refused.
pub(crate) struct Reader<'a, T>(Found<'a, T>);

/// Reads an optional value. Null is no value, if the type says so.
pub(crate) struct OptionalReader<'a, T>(Found<'a, T>);

impl<'a, T> Reader<'a, T> {
    /// The reader of the value at `at`.
    pub(crate) fn new(at: Position<'a>) -> Self {
        Self(Found::new(at))
    }
}

impl<'a, T> OptionalReader<'a, T> {
    /// The reader of the value at `at`.
    pub(crate) fn new(at: Position<'a>) -> Self {
        Self(Found::new(at))
    }
}

impl<'de, T: Value> DeserializeSeed<'de> for Reader<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let at = self.0.at;
        let found = deserializer.deserialize_any(self.0)?;
        found.ok_or_else(|| at.refuse(unfit("null", &T::expected())))
    }
}

impl<'de, T: Value> DeserializeSeed<'de> for OptionalReader<'_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        if T::NULL_IS_ABSENT {
            return deserializer.deserialize_any(self.0);
        }
        Reader(self.0).deserialize(deserializer).map(Some)
    }
}

/// The visitor of every value: `None` for null.
struct Found<'a, T> {
    at: Position<'a>,
    value: PhantomData<T>,
}

impl<'a, T> Found<'a, T> {
    fn new(at: Position<'a>) -> Self {
        Self {
            at,
            value: PhantomData,
        }
    }
}

impl<T: Value> Found<'_, T> {
    fn done<E: serde::de::Error>(self, read: Result<T, String>) -> Result<Option<T>, E> {
        read.map(Some).map_err(|reason| self.at.refuse(reason))
    }
}

impl<'de, T: Value> Visitor<'de> for Found<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&T::expected())
    }

    fn visit_bool<E: serde::de::Error>(self, found: bool) -> Result<Option<T>, E> {
        self.done(T::from_bool(found))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    #[expect(clippy::cast_precision_loss, reason = "no field takes an integer beyond 2⁵³")]
    fn visit_u64<E: serde::de::Error>(self, found: u64) -> Result<Option<T>, E> {
        self.done(T::from_number(found as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no field takes an integer beyond 2⁵³")]
    fn visit_i64<E: serde::de::Error>(self, found: i64) -> Result<Option<T>, E> {
        self.done(T::from_number(found as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, found: f64) -> Result<Option<T>, E> {
        self.done(T::from_number(found))
    }

    fn visit_str<E: serde::de::Error>(self, found: &str) -> Result<Option<T>, E> {
        self.done(T::from_string(found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<T>, A::Error> {
        T::from_list(list, self.at).map(Some)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Option<T>, A::Error> {
        T::from_object(object, self.at).map(Some)
    }
}
