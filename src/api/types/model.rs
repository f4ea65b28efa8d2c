//! The request of `/v1/models/{model}`.

use crate::api::decode::declare::fields;
use crate::api::types::list::List;
use crate::api::types::text::Name;

fields! {
    /// What the description of a model has besides the usual.
    pub(crate) struct ModelOptions {
        /// Attributes: the response has the cosines between the normals of their boundaries. Default: none.
        cosines: Option<List<Name, 1, 32>> = ["smile", "age"],
    }
}
