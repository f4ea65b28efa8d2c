//! Parts of lists: how many entries, and after which one they begin.

use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::declare::fields;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::types::boundary::BoundaryVersionName;
use crate::api::types::number::Integer;
use crate::api::types::space::Space;
use crate::editor::BoundaryKey;
use crate::latent::LatentSpace;

/// Boundaries on a page, unless the request says how many.
const BOUNDARIES: u32 = 50;
/// Jobs on a page, unless the request says how many.
const JOBS: u32 = 20;

fields! {
    /// A part of the list of boundaries.
    pub(crate) struct BoundaryPage {
        /// The most boundaries in the response. Default: 50.
        limit: Option<Integer<1, 200>>,
        /// The boundary before the first one: the `next` of the previous page. Default: the list from its beginning.
        after: Option<BoundaryPosition>,
        /// Which boundaries to list. Default: `current`.
        version: Option<BoundaryVersionName>,
    }
}

fields! {
    /// A part of the list of jobs.
    pub(crate) struct JobPage {
        /// The most jobs in the response. Default: 20.
        limit: Option<Integer<1, 100>>,
        /// The id of the job before the first one: the `next` of the previous page. Default: the list from its beginning.
        after: Option<JobPosition>,
    }
}

impl BoundaryPage {
    /// The most boundaries of the page.
    pub(crate) fn limit(&self) -> usize {
        self.limit.map_or(BOUNDARIES, Integer::u32) as usize
    }
}

impl JobPage {
    /// The most jobs of the page.
    pub(crate) fn limit(&self) -> usize {
        self.limit.map_or(JOBS, Integer::u32) as usize
    }
}

/// A position in the list of boundaries, such as `smile:w`.
#[derive(Clone, Debug)]
pub(crate) struct BoundaryPosition(pub(crate) BoundaryKey);

impl BoundaryPosition {
    /// The text of the position after `attribute` in `space`.
    pub(crate) fn text(attribute: &str, space: LatentSpace) -> String {
        format!("{attribute}:{space}")
    }
}

impl serde::Serialize for BoundaryPosition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (attribute, space) = &self.0;
        serializer.serialize_str(&Self::text(attribute, *space))
    }
}

impl Value for BoundaryPosition {
    fn expected() -> String {
        "ATTRIBUTE:SPACE such as smile:w".to_owned()
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let (attribute, space) = found
            .rsplit_once(':')
            .filter(|(attribute, _)| !attribute.is_empty())
            .ok_or_else(|| unfit(quoted(found), &Self::expected()))?;
        Ok(Self((attribute.into(), Space::from_text(space)?.into())))
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^[^:,]{1,64}:(z|w|w\+|s)$"))
            .into()
    }
}

/// The id of a job: also its position in the list of jobs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobPosition(pub(crate) u64);

impl serde::Serialize for JobPosition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Value for JobPosition {
    fn expected() -> String {
        "the id of a job, such as 7".to_owned()
    }

    fn from_string(found: &str) -> Result<Self, String> {
        let read = found.parse().map(Self);
        read.map_err(|_| unfit(quoted(found), &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        Self::from_string(found)
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[0-9]{1,18}$"))
            .into()
    }
}
