//! Judging: a report on how good a model's boundaries are.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a report contains | `report` |
//! | why a report is not possible | `report_error` |
//! | how a report is made, step by step | `judge` |
//! | how well a boundary separates new samples | `accuracy` |
//! | what edits change, and how the images are rendered for it | `edit_effects` |
//! | the direction that changes no other attribute | `held_direction` |
//! | how all methods of editing compare, at equal change of the target | `methods` |
//! | what the networks say of images | `image_outputs` |
//! | how similar two faces are as persons | `identity` |
//!
//! It knows boundaries and scores. It never knows how boundaries were trained.

pub(crate) mod accuracy;
pub(crate) mod edit_effects;
pub(crate) mod held_direction;
pub(crate) mod identity;
pub(crate) mod image_outputs;
pub(crate) mod judge;
pub(crate) mod methods;
pub(crate) mod report;
pub(crate) mod report_error;
