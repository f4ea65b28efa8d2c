//! Score search.

pub(crate) mod score_search;
pub(crate) mod scored_attribute;
