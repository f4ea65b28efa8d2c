//! Choices: one of a few words, the same in JSON, in a URL and in a form.

/// Declares an enum with the word of each variant, and implements `Value`, `Serialize` and `ToSchema` for it.
macro_rules! choice {
    (
        $(#[doc = $about:literal])*
        $visibility:vis enum $type:ident $(as $schema:ident)? {
            $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $type {
            $($(#[doc = $doc])* $variant,)+
        }

        impl $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl $crate::api::decode::value::Value for $type {
            fn expected() -> String {
                $crate::api::types::choice::one_of(&[$($word),+])
            }

            fn from_string(found: &str) -> Result<Self, String> {
                let known = Self::WORDS.iter().find(|(word, _)| *word == found);
                known.map(|&(_, value)| value).ok_or_else(|| {
                    let found = $crate::api::decode::value::quoted(found);
                    $crate::api::decode::value::unfit(found, &Self::expected())
                })
            }

            fn from_text(found: &str) -> Result<Self, String> {
                // In a URL, a plus sign that is not escaped means a blank, and no word has a blank.
                Self::from_string(&found.replace(' ', "+"))
            }

            fn schema() -> $crate::api::decode::value::Schema {
                use utoipa::openapi::{Ref, RefOr};
                RefOr::Ref(Ref::from_schema_name($crate::api::types::choice::name!($type $($schema)?)))
            }

            fn components(components: &mut Vec<(String, $crate::api::decode::value::Schema)>) {
                let schema = <Self as utoipa::PartialSchema>::schema();
                components.push(($crate::api::types::choice::name!($type $($schema)?).to_owned(), schema));
            }
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> $crate::api::decode::value::Schema {
                $crate::api::types::choice::schema(
                    &[$($about),*],
                    &[$(($word, &[$($doc),*])),+],
                )
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $crate::api::types::choice::name!($type $($schema)?).into()
            }
        }
    };
}

/// The name of a schema: the type's, unless the declaration has another.
macro_rules! name {
    ($type:ident) => {
        stringify!($type)
    };
    ($type:ident $schema:ident) => {
        stringify!($schema)
    };
}

pub(crate) use {choice, name};

use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::describe::lines;
use crate::api::decode::value::Schema;

/// The words as a part of a sentence: "png, jpeg or webp".
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The schema of a choice.
pub(crate) fn schema(about: &[&str], words: &[(&str, &[&str])]) -> Schema {
    let about_words = words.iter().map(|(word, about)| {
        let about = lines(about).replace('\n', " ");
        format!("\n- `{word}`: {about}")
    });
    let text = lines(about) + &about_words.collect::<String>();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(text))
        .enum_values(Some(words.iter().map(|&(word, _)| word)))
        .into()
}
