//! Boundaries: what they measure, and how they were found.
//!
//! It never moves a code (see `editing`) and never fits a boundary (see `fitting`).
//!
//! | to find | look in |
//! | --- | --- |
//! | what an attribute can be called | `attribute_name` |
//! | the signed distance of a code | `boundary` |
//! | the angles between several boundaries | `cosines` |
//! | why a boundary may be worse than it looks | `doubt` |
//! | where a boundary comes from, and how accurate it is | `provenance` |
//! | where the samples are, as distances from a boundary | `spread` |
//! | a channel of a style, and what it changes | `style_channel` |

pub(crate) mod attribute_name;
pub(crate) mod boundary;
pub(crate) mod cosines;
pub(crate) mod doubt;
pub(crate) mod provenance;
pub(crate) mod spread;
pub(crate) mod style_channel;
