//! The visitor that hands each JSON value to its type.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::api::decode::position::Position;
use crate::api::decode::value::{Value, unfit};

/// The visitor of every value: it calls the reading function for the kind of JSON found.
pub(crate) struct Reader<'a, T> {
    at: Position<'a>,
    value: PhantomData<T>,
}

impl<'a, T> Reader<'a, T> {
    /// The reader of the value at `at`.
    pub(crate) fn new(at: Position<'a>) -> Self {
        Self {
            at,
            value: PhantomData,
        }
    }
}

impl<T: Value> Reader<'_, T> {
    fn unfit<V, E: serde::de::Error>(self, found: &str) -> Result<V, E> {
        Err(self.at.refuse(unfit(found, &T::expected())))
    }

    fn done<E: serde::de::Error>(self, read: Result<T, String>) -> Result<T, E> {
        read.map_err(|reason| self.at.refuse(reason))
    }
}

impl<'de, T: Value> DeserializeSeed<'de> for Reader<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Value> Visitor<'de> for Reader<'_, T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&T::expected())
    }

    fn visit_bool<E: serde::de::Error>(self, found: bool) -> Result<T, E> {
        self.unfit(if found { "true" } else { "false" })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        self.done(T::from_null())
    }

    #[expect(clippy::cast_precision_loss, reason = "no field takes an integer beyond 2⁵³")]
    fn visit_u64<E: serde::de::Error>(self, found: u64) -> Result<T, E> {
        self.done(T::from_number(found as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no field takes an integer beyond 2⁵³")]
    fn visit_i64<E: serde::de::Error>(self, found: i64) -> Result<T, E> {
        self.done(T::from_number(found as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, found: f64) -> Result<T, E> {
        self.done(T::from_number(found))
    }

    fn visit_str<E: serde::de::Error>(self, found: &str) -> Result<T, E> {
        self.done(T::from_string(found))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list, self.at)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::from_object(object, self.at)
    }
}
