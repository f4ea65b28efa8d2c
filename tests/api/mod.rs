//! The API through its router, with a small generator in ndarray, and in a few tests with the bundled model.

mod aim;
mod boundaries;
mod caching;
mod descents;
mod edit;
mod endings;
mod hostile;
mod hostile_pictures;
mod identity;
mod invert;
mod landmarks;
mod models;
mod openapi;
mod phantom;
mod pictures;
mod portraits;
mod report;
mod sample;
mod score;
mod training;
mod trouble;
