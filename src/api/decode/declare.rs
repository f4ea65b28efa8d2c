//! The macro that declares a struct of fields: one declaration gives reading from JSON and text, writing, and the schema.

/// Declares a struct of fields, and implements `Fields`, `Serialize` and `ToSchema` for it.
///
/// A field's type is `Option<V>`, `Required<V>` or `Group<F>`, where `V` is a `Value` and `F` has `Fields` of its own. In
/// brackets stand its keys in JSON and in text, if they are not the field's name; behind `=` an example for a URL.
macro_rules! fields {
    (
        $(#[doc = $about:literal])*
        $(#[examples($($examples:expr),+ $(,)?)])?
        $visibility:vis struct $type:ident {
            $(
                $(#[doc = $doc:literal])*
                $name:ident $([$json:literal, $text:literal])?: $slot:ty $(= $example:expr)?,
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default)]
        $visibility struct $type {
            $($(#[doc = $doc])* pub(crate) $name: $slot,)*
        }

        impl $crate::api::decode::fields::Fields for $type {
            const NAME: &'static str = stringify!($type);
            const ABOUT: &'static [&'static str] = &[$($about),*];

            fn examples() -> Vec<serde_json::Value> {
                vec![$($($examples),+)?]
            }

            fn add_fields(fields: &mut Vec<$crate::api::decode::fields::Field>) {
                use $crate::api::decode::{declare::declared, fields::Slot};
                $(
                    let declared = declared!($name [$($json, $text)?] [$($doc),*] [$($example)?]);
                    <$slot as Slot>::add_fields(declared, fields);
                )*
            }

            fn read_json<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                object: &mut A,
                at: $crate::api::decode::position::Position<'_>,
            ) -> Option<Result<(), A::Error>> {
                use $crate::api::decode::{declare::declared, fields::Slot};
                let read = None;
                $(
                    let declared = declared!($name [$($json, $text)?] [] []);
                    let read = read.or_else(|| Slot::read_json(&mut self.$name, declared, name, object, at));
                )*
                read
            }

            fn read_text(
                &mut self,
                name: &str,
                texts: &[std::borrow::Cow<'_, str>],
            ) -> Option<Result<(), String>> {
                use $crate::api::decode::{declare::declared, fields::Slot};
                let read = None;
                $(
                    let declared = declared!($name [$($json, $text)?] [] []);
                    let read = read.or_else(|| Slot::read_text(&mut self.$name, declared, name, texts));
                )*
                read
            }

            fn write<M: serde::ser::SerializeMap>(&self, object: &mut M) -> Result<(), M::Error> {
                use $crate::api::decode::{declare::declared, fields::Slot};
                $(
                    let declared = declared!($name [$($json, $text)?] [] []);
                    Slot::write(&self.$name, declared, object)?;
                )*
                Ok(())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut object = serializer.serialize_map(None)?;
                $crate::api::decode::fields::Fields::write(self, &mut object)?;
                serde::ser::SerializeMap::end(object)
            }
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> $crate::api::decode::value::Schema {
                $crate::api::decode::describe::object::<Self>()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                <Self as $crate::api::decode::fields::Fields>::NAME.into()
            }

            fn schemas(schemas: &mut Vec<(String, $crate::api::decode::value::Schema)>) {
                $crate::api::decode::describe::add_components_of_fields::<Self>(schemas);
            }
        }

        impl utoipa::IntoParams for $type {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                $crate::api::decode::describe::parameters::<Self>()
            }
        }
    };
}

/// The `Declared` of one field.
macro_rules! declared {
    ($name:ident [] $about:tt $example:tt) => {
        declared!(@ stringify!($name), stringify!($name), $about $example)
    };
    ($name:ident [$json:literal, $text:literal] $about:tt $example:tt) => {
        declared!(@ $json, $text, $about $example)
    };
    (@ $json:expr, $text:expr, [$($about:literal),*] [$($example:expr)?]) => {
        $crate::api::decode::fields::Declared {
            json: $json,
            text: $text,
            about: &[$($about),*],
            example: || {
                let example: Option<serde_json::Value> = None;
                $(let example = example.or(Some(serde_json::json!($example)));)?
                example
            },
        }
    };
}

pub(crate) use {declared, fields};
