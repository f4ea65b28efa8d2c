//! Inversion: from an image to a latent code that reproduces it.
//!
//! | to find | look in |
//! | --- | --- |
//! | the operation *invert* | [`invert`](inverter::invert) |
//! | the reconstruction of an image that carries its code | `carried_code` |
//! | the method and the space of a request, checked against the model | `plan` |
//! | codes that were found before | `inversion_cache` |
//! | how good a code is, and when that is worth a warning | `found_code` |
//! | the methods, and which of them a model supports | `method` |
//! | how an image is decoded, cropped and aligned | `target` |
//! | the encoder's code of an image | `encoding` |
//! | how `refine` improves the encoder's code without a gradient | `iterative_encoding` |
//! | how a code is optimized by the gradient of its loss | `optimization` |
//! | which optimizer a method uses | `optimizer` |
//!
//! It knows images and codes. It never knows attributes and boundaries.

pub(crate) mod carried_code;
pub(crate) mod encoding;
pub(crate) mod found_code;
pub(crate) mod inversion_cache;
pub(crate) mod inverter;
pub(crate) mod iterative_encoding;
pub(crate) mod method;
pub(crate) mod optimization;
pub(crate) mod optimizer;
pub(crate) mod plan;
pub(crate) mod request;
pub(crate) mod start_code;
pub(crate) mod target;
