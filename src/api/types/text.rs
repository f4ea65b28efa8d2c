//! Short texts, such as names.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::value::{Schema, Value, quoted, unfit};

/// The name of a model or an attribute.
pub(crate) type Name = Text<256>;

/// A text of 1 to `MOST` characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Text<const MOST: usize>(pub(crate) String);

impl<const MOST: usize> Value for Text<MOST> {
    fn expected() -> String {
        format!("text of 1 to {MOST} characters")
    }

    fn from_string(found: &str) -> Result<Self, String> {
        let fits = !found.is_empty() && found.chars().count() <= MOST;
        fits.then(|| Self(found.to_owned()))
            .ok_or_else(|| unfit(quoted(found), &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        Self::from_string(found)
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MOST))
            .into()
    }
}

/// The model that a request names.
pub(crate) fn named(model: Option<&Name>) -> Option<&str> {
    model.map(|Text(name)| name.as_str())
}
