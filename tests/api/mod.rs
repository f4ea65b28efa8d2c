//! The API through its router, with a small generator in ndarray, and in a few tests with the bundled model.

mod boundaries;
mod caching;
mod edit;
mod endings;
mod examples;
mod hostile;
mod hostile_pictures;
mod identity;
mod inversion;
mod inversion_optimization;
mod labelled_training;
mod landmarks;
mod models;
mod openapi;
mod phantom;
mod pictures;
mod portraits;
mod report;
mod sample;
mod score;
mod score_search;
mod training;
mod trouble;
