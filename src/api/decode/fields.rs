//! Structs of named fields: what they offer, and what may stand in them.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use crate::api::decode::position::Position;
use crate::api::decode::reader::{OptionalReader, Reader};
use crate::api::decode::value::{Schema, Value};

/// A struct of named fields, declared by the macro `fields!`.
pub(crate) trait Fields: Default + serde::Serialize {
    /// The name of the schema.
    const NAME: &'static str;

    /// The lines of the description.
    const ABOUT: &'static [&'static str];

    /// Examples in JSON.
    fn examples() -> Vec<serde_json::Value>;

    /// Adds a description of every field, groups resolved.
    fn add_fields(fields: &mut Vec<Field>);

    /// Reads the value of the field `name` of a JSON object; `None` if there is no such field.
    fn read_json<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        object: &mut A,
        at: Position<'_>,
    ) -> Option<Result<(), A::Error>>;

    /// Reads the field `name` of a URL or form; `None` if there is no such field.
    fn read_text(&mut self, name: &str, texts: &[Cow<'_, str>]) -> Option<Result<(), String>>;

    /// Writes every field that has a value.
    fn write<M: SerializeMap>(&self, object: &mut M) -> Result<(), M::Error>;
}

/// The description of one field.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// The key in JSON.
    pub(crate) json: &'static str,
    /// The key in a URL or form.
    pub(crate) text: &'static str,
    /// The lines of the description.
    pub(crate) about: &'static [&'static str],
    pub(crate) required: bool,
    pub(crate) is_file: bool,
    pub(crate) presence: Presence,
    pub(crate) expected: fn() -> String,
    pub(crate) expected_text: fn() -> String,
    pub(crate) schema: fn() -> Schema,
    pub(crate) text_schema: fn() -> Schema,
    pub(crate) components: fn(&mut Vec<(String, Schema)>),
    /// An example for a URL.
    pub(crate) example: fn() -> Option<serde_json::Value>,
}

/// Which requests may have a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// All.
    Always,
    /// Those without a file, whose place it takes.
    WithoutFile,
    /// Those with a file.
    WithFile,
}

impl Field {
    /// The description of every field of `T`.
    pub(crate) fn all<T: Fields>() -> Vec<Self> {
        let mut fields = Vec::with_capacity(24);
        T::add_fields(&mut fields);
        fields
    }
}

/// The keys, description and example of a declared field.
#[derive(Clone, Copy)]
pub(crate) struct Declared {
    pub(crate) json: &'static str,
    pub(crate) text: &'static str,
    pub(crate) about: &'static [&'static str],
    pub(crate) example: fn() -> Option<serde_json::Value>,
}

impl Declared {
    fn field<T: Value>(self, required: bool) -> Field {
        Field {
            json: self.json,
            text: self.text,
            about: self.about,
            required,
            is_file: T::IS_FILE,
            presence: Presence::Always,
            expected: T::expected,
            expected_text: T::expected_text,
            schema: T::schema,
            text_schema: T::text_schema,
            components: T::components,
            example: self.example,
        }
    }
}

/// What may stand in a struct of fields: an optional value, a required value, or a group of further fields.
pub(crate) trait Slot {
    fn add_fields(declared: Declared, fields: &mut Vec<Field>);

    fn read_json<'de, A: MapAccess<'de>>(
        &mut self,
        declared: Declared,
        name: &str,
        object: &mut A,
        at: Position<'_>,
    ) -> Option<Result<(), A::Error>>;

    fn read_text(
        &mut self,
        declared: Declared,
        name: &str,
        texts: &[Cow<'_, str>],
    ) -> Option<Result<(), String>>;

    fn write<M: SerializeMap>(&self, declared: Declared, object: &mut M) -> Result<(), M::Error>;
}

/// An optional field. Files are not written.
impl<T: Value> Slot for Option<T> {
    fn add_fields(declared: Declared, fields: &mut Vec<Field>) {
        fields.push(declared.field::<T>(false));
    }

    fn read_json<'de, A: MapAccess<'de>>(
        &mut self,
        declared: Declared,
        name: &str,
        object: &mut A,
        at: Position<'_>,
    ) -> Option<Result<(), A::Error>> {
        let read = || {
            *self = object.next_value_seed(OptionalReader::<T>::new(at))?;
            Ok(())
        };
        (name == declared.json).then(read)
    }

    fn read_text(
        &mut self,
        declared: Declared,
        name: &str,
        texts: &[Cow<'_, str>],
    ) -> Option<Result<(), String>> {
        let read = || T::from_texts(texts).map(|value| *self = Some(value));
        (name == declared.text && !T::IS_FILE).then(read)
    }

    fn write<M: SerializeMap>(&self, declared: Declared, object: &mut M) -> Result<(), M::Error> {
        match self {
            Some(value) if !T::IS_FILE => object.serialize_entry(declared.json, value),
            _ => Ok(()),
        }
    }
}

/// A required field. Its default stands only until it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Required<T>(pub(crate) T);

impl<T> Deref for Required<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Value> Slot for Required<T> {
    fn add_fields(declared: Declared, fields: &mut Vec<Field>) {
        fields.push(declared.field::<T>(true));
    }

    fn read_json<'de, A: MapAccess<'de>>(
        &mut self,
        declared: Declared,
        name: &str,
        object: &mut A,
        at: Position<'_>,
    ) -> Option<Result<(), A::Error>> {
        let read = || {
            self.0 = object.next_value_seed(Reader::<T>::new(at))?;
            Ok(())
        };
        (name == declared.json).then(read)
    }

    fn read_text(
        &mut self,
        declared: Declared,
        name: &str,
        texts: &[Cow<'_, str>],
    ) -> Option<Result<(), String>> {
        let read = || T::from_texts(texts).map(|value| self.0 = value);
        (name == declared.text && !T::IS_FILE).then(read)
    }

    fn write<M: SerializeMap>(&self, declared: Declared, object: &mut M) -> Result<(), M::Error> {
        if T::IS_FILE {
            return Ok(());
        }
        object.serialize_entry(declared.json, &self.0)
    }
}

/// A group of fields that several requests share. Its fields stand beside the others, not in an object of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group<T>(pub(crate) T);

/// A [`Group`] that is not written: it says how a response is encoded, not what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unrecorded<T>(pub(crate) T);

/// A [`Group`] that a request with a file may not have, because the file takes its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct InsteadOfFile<T>(pub(crate) T);

/// A [`Group`] about the file of a request. It is not part of the record of a request, which has no file.
#[derive(Clone, Debug, Default)]
pub(crate) struct BesideFile<T>(pub(crate) T);

/// Implements a kind of group: whether it is written, and which requests may have its fields.
macro_rules! group {
    ($group:ident, is_written: $write:expr, presence: $presence:expr) => {
        impl<T> Deref for $group<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T> DerefMut for $group<T> {
            fn deref_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }

        impl<T: Fields> Slot for $group<T> {
            fn add_fields(_: Declared, fields: &mut Vec<Field>) {
                let before = fields.len();
                T::add_fields(fields);
                for field in &mut fields[before..] {
                    if $presence != Presence::Always {
                        field.presence = $presence;
                    }
                }
            }

            fn read_json<'de, A: MapAccess<'de>>(
                &mut self,
                _: Declared,
                name: &str,
                object: &mut A,
                at: Position<'_>,
            ) -> Option<Result<(), A::Error>> {
                self.0.read_json(name, object, at)
            }

            fn read_text(
                &mut self,
                _: Declared,
                name: &str,
                texts: &[Cow<'_, str>],
            ) -> Option<Result<(), String>> {
                self.0.read_text(name, texts)
            }

            fn write<M: SerializeMap>(&self, _: Declared, object: &mut M) -> Result<(), M::Error> {
                if $write { self.0.write(object) } else { Ok(()) }
            }
        }
    };
}

group!(Group, is_written: true, presence: Presence::Always);
group!(InsteadOfFile, is_written: true, presence: Presence::WithoutFile);
group!(BesideFile, is_written: false, presence: Presence::WithFile);
group!(Unrecorded, is_written: false, presence: Presence::Always);
