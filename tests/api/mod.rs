//! The API through its router, with a small generator in ndarray, and in a few tests with the bundled model.

mod boundaries;
mod caching;
mod edit;
mod examples;
mod failures;
mod identity;
mod invalid_bodies;
mod invalid_images;
mod invalid_urls;
mod inversion;
mod inversion_optimization;
mod job_endings;
mod labelled_training;
mod landmarks;
mod models;
mod openapi;
mod phantom;
mod portraits;
mod report;
mod request_schemas;
mod sample;
mod schema_values;
mod score;
mod score_search;
mod training;
mod uploaded_images;
