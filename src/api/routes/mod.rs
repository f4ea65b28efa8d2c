//! The handlers, a file for each resource. A handler decodes the request, calls the editor once, and encodes the response.
//!
//! Each handler carries its description for the OpenAPI document. Handlers know no status of an error:
//! [`problem`](crate::api::problem) does.
//!
//! | to find | look in |
//! | --- | --- |
//! | the operations on faces | [`sample`], [`edit`], [`interpolate`], [`mix`], [`invert`], [`score`] |
//! | inversions in the background | [`inversions`] |
//! | loaded models | [`models`] |
//! | the boundaries of a model; the training of new ones | [`boundaries`], [`training`] |
//! | directions without labels | [`directions`] |
//! | reports on boundaries | [`report`] |
//! | the codes and scores of a training | [`samples`] |
//! | the jobs that train, find directions and report | [`jobs`] |
//! | responses with a part of a list | [`page`] |
//! | sessions of browsers | [`session`] |
//! | probes and metrics | [`health`], [`metrics`] |

pub(crate) mod boundaries;
pub(crate) mod directions;
pub(crate) mod edit;
pub(crate) mod health;
pub(crate) mod interpolate;
pub(crate) mod inversions;
pub(crate) mod invert;
pub(crate) mod jobs;
pub(crate) mod metrics;
pub(crate) mod mix;
pub(crate) mod models;
pub(crate) mod page;
pub(crate) mod report;
pub(crate) mod sample;
pub(crate) mod samples;
pub(crate) mod score;
pub(crate) mod session;
pub(crate) mod training;
