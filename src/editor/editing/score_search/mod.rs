//! The score search: how far to move a face until its classifier gives a score.
//!
//! | to find | look in |
//! | --- | --- |
//! | the search along the line, and the corrections that hold other scores | `search` |
//! | the scale on which scores are compared | `scored_attribute` |
//! | what the response says about it | `result` |

pub(crate) mod result;
pub(crate) mod scored_attribute;
pub(crate) mod search;
