//! A flag: true or false.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::value::{Schema, Value, quoted, unfit};

/// Whether something is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Flag(pub(crate) bool);

impl Value for Flag {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn from_bool(found: bool) -> Result<Self, String> {
        Ok(Self(found))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let read = found.parse().map(Self);
        read.map_err(|_| unfit(quoted(found), &Self::expected()))
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}
