//! A range of layers of w+, such as `0-3`.

use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::value::{Schema, Value};
use crate::latent::LayerRange;

/// One layer or a range of layers, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Layers(pub(crate) LayerRange);

/// The first layer: it stands where required layers have not been read.
impl Default for Layers {
    fn default() -> Self {
        Self(LayerRange::new(0, 0).expect("it is one layer"))
    }
}

impl Value for Layers {
    fn expected() -> String {
        "a layer such as \"3\" or a range of layers such as \"0-3\"".to_owned()
    }

    fn from_string(found: &str) -> Result<Self, String> {
        found
            .parse()
            .map(Self)
            .map_err(|error: crate::latent::LatentError| error.to_string())
    }

    fn from_text(found: &str) -> Result<Self, String> {
        Self::from_string(found)
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]{1,9}(-[0-9]{1,9})?$"))
            .into()
    }
}

impl Serialize for Layers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
