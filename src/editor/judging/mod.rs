//! Judging: a report on how good a model's boundaries are.
//!
//! | to find | look in |
//! | --- | --- |
//! | what a report contains | `report` |
//! | how a report is made, step by step | `judge` |
//! | how well a boundary separates new samples | `accuracy` |
//! | what edits change, and how the images are rendered for it | `edit_effects` |
//! | how similar two faces are as persons | `identity` |
//!
//! It knows boundaries and scores. It never knows how boundaries were trained.

pub(crate) mod accuracy;
pub(crate) mod edit_effects;
pub(crate) mod identity;
pub(crate) mod judge;
pub(crate) mod report;
