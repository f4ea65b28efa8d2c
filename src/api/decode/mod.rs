//! Requests from bytes: JSON bodies, URLs and forms are read straight into the types of [`crate::api::types`].
//!
//! Each operation has one type, a struct of named fields ([`fields::Fields`]), which this folder reads from either notation: JSON, or
//! the text pairs of a URL or form. It builds no tree of values on the way. An unknown key is refused before its value is
//! read, a value of the wrong kind at its first byte, and a list at its limit, so that memory and depth are bounded by the
//! type. An error names the field's path, what was found, and what was expected.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a value must offer: reading, expectation, schema | [`value`] |
//! | fields, groups of fields | [`fields`] |
//! | the macro that declares a request's fields | [`declare`] |
//! | reading a JSON body, the position in it, the visitor | [`json`], [`position`], [`reader`] |
//! | reading the pairs of a URL or form | [`text`] |
//! | object, parameter and form schemas made from the same declaration | [`describe`] |
//! | errors about a field, and about the syntax of JSON | [`refusal`], [`syntax`] |

pub(crate) mod declare;
pub(crate) mod describe;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod position;
pub(crate) mod reader;
pub(crate) mod refusal;
pub(crate) mod syntax;
pub(crate) mod text;
pub(crate) mod value;
