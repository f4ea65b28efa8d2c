//! Batch work: the faces of many seeds, made chunk by chunk with the same bits whatever else is made.
//!
//! | to find | look in |
//! | --- | --- |
//! | what is made of each seed, and which faces are kept | `request` |
//! | how the faces of some seeds are made | `group` |
//! | how chunks follow each other | `face_chunks` |

pub(crate) mod face_chunks;
pub(crate) mod group;
pub(crate) mod request;
