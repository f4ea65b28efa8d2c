//! The JSON responses, and their schemas in the OpenAPI document. The types know no routes and no status codes.
//!
//! | to find | look in |
//! | --- | --- |
//! | a face: its code, distances, scores and image | [`face`] |
//! | the responses of the operations on faces | [`sample`], [`edit`], [`interpolate`], [`mix`], [`invert`], [`score`] |
//! | an inversion in the background | [`inversion`] |
//! | the result of a search for a score | [`score_search`] |
//! | a model, and the list of models | [`model`] |
//! | the metadata of a boundary, and where changes are stored | [`boundary`] |
//! | jobs and their progress | [`job`] |
//! | reports on boundaries | [`report`] |
//! | the part of a report that compares methods of editing | [`methods`] |

pub(crate) mod boundary;
pub(crate) mod edit;
pub(crate) mod face;
pub(crate) mod interpolate;
pub(crate) mod inversion;
pub(crate) mod invert;
pub(crate) mod job;
pub(crate) mod methods;
pub(crate) mod mix;
pub(crate) mod model;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod score;
pub(crate) mod score_search;
pub(crate) mod walk;
