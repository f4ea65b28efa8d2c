//! Blending: the codes of several faces become the codes of faces between them, or of faces that have something of each.
//!
//! | to find | look in |
//! | --- | --- |
//! | the operation *interpolate* | [`interpolate`](interpolate::interpolate) |
//! | which two faces each frame lies between | `timeline` |
//! | the operation *mix* | [`mix`](mix::mix) |
//! | the codes of several faces in one space | `sources` |
//! | why faces cannot be blended | [`BlendError`](error::BlendError) |
//!
//! It never knows how codes become images.

pub(crate) mod error;
pub(crate) mod interpolate;
pub(crate) mod mix;
pub(crate) mod sources;
pub(crate) mod timeline;
