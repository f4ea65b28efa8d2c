//! Latent codes: their spaces, their layers and their truncation.
//!
//! It never knows how a code was sampled or which image it gives.
//!
//! | to find | look in |
//! | --- | --- |
//! | a code, and the check of its values | `code` |
//! | z, w and w+, and how their names are read and written | `space` |
//! | the label of a class-conditional generator | `label` |
//! | a range of layers such as `0-3` | `layer_range` |
//! | truncation towards the average code | `truncation` |

pub(crate) mod code;
pub(crate) mod label;
pub(crate) mod layer_range;
pub(crate) mod space;
pub(crate) mod truncation;
