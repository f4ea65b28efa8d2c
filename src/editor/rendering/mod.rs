//! Rendering: face sources become latent codes, and codes become faces with images, distances and scores.
//!
//! | to find | look in |
//! | --- | --- |
//! | the operation *sample* | [`sample`](sample::sample) |
//! | the operation *score* | [`score`](score::score) |
//! | how faces are taken away while others are rendered | `face_channel` |
//! | how a request's codes are mapped, synthesized and scored | `renderer` |
//! | which code a seed or a caller's code stands for, and how it is checked | `latent_source` |
//! | the truncation of a request | `mapping_truncation` |
//! | the mean of many w codes | [`average_w`](average_w::average_w) |
//! | where samples are, seen from boundaries | [`spreads`](sample_spread::spreads) |
//! | the styles of sampled faces | `style_samples` |
//! | the tensor that synthesis takes | `synthesis_input` |
//!
//! It knows codes, networks and images. It never knows boundaries' directions, nor why codes are rendered.

pub(crate) mod average_w;
pub(crate) mod face_channel;
pub(crate) mod labels;
pub(crate) mod latent_source;
pub(crate) mod mapping_truncation;
pub(crate) mod renderer;
pub(crate) mod sample;
pub(crate) mod sample_spread;
pub(crate) mod score;
pub(crate) mod style_samples;
pub(crate) mod synthesis_input;
