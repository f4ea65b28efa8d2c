//! The types of requests: one for each operation, read from a URL, a JSON body or a form by [`crate::api::decode`].
//!
//! A type says what the service accepts, and the OpenAPI document is made from the same declaration. Each converts itself into
//! the editor's request. The types know no status codes and no routes.
//!
//! | to find | look in |
//! | --- | --- |
//! | the request of an operation | [`sample`], [`edit`], [`interpolate`], [`mix`], [`invert`], [`score`], [`train`], [`report`], [`boundary`], [`model`] |
//! | the face of a request (seed, latent code or image) and the truncation | [`face`], [`latent`], [`uploaded_image`] |
//! | several faces of one request | [`faces`], [`seeds`] |
//! | format, layout, metadata, compression and quality of the response | [`output_options`] |
//! | the edits | [`attribute_edit`], [`trajectory`], [`layers`], [`unit`] |
//! | the speed of a motion | [`easing`] |
//! | the part of an image to invert | [`framing`] |
//! | the part of a list | [`page`] |
//! | single values | [`number`], [`numbers`], [`text`], [`list`], [`choice`], [`flag`], [`space`], [`base64`] |
//! | the form of a request with an image | [`form`] |

pub(crate) mod along;
pub(crate) mod attribute_edit;
pub(crate) mod base64;
pub(crate) mod boundary;
pub(crate) mod choice;
pub(crate) mod directions;
pub(crate) mod easing;
pub(crate) mod edit;
pub(crate) mod face;
pub(crate) mod faces;
pub(crate) mod flag;
pub(crate) mod form;
pub(crate) mod framing;
pub(crate) mod interpolate;
pub(crate) mod invert;
pub(crate) mod label;
pub(crate) mod latent;
pub(crate) mod layers;
pub(crate) mod list;
pub(crate) mod mix;
pub(crate) mod model;
pub(crate) mod number;
pub(crate) mod numbers;
pub(crate) mod output_options;
pub(crate) mod page;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod sample_count;
pub(crate) mod score;
pub(crate) mod seeds;
pub(crate) mod space;
pub(crate) mod text;
pub(crate) mod train;
pub(crate) mod trajectory;
pub(crate) mod unit;
pub(crate) mod uploaded_image;
