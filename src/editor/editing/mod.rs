//! Editing: a code moves along the normals of boundaries, or along the part of a normal that is orthogonal to conditions.
//!
//! | to find | look in |
//! | --- | --- |
//! | the operation *edit* | [`edit`](edit::edit) |
//! | the request, and its checks that need no face | `request` |
//! | the direction of each step, after projection onto the conditions' complement | `edit_path` |
//! | the search for a distance at which the classifier gives a score | `score_search` |
//! | the walk along the gradient of a score | `gradient_walk` |
//! | how far a face is moved along its own way | `way` |
//! | warnings about far or missed results | `warning` |
//!
//! It knows how codes move. It never knows how codes become images.

pub(crate) mod edit;
pub(crate) mod edit_path;
pub(crate) mod gradient_walk;
pub(crate) mod request;
pub(crate) mod score_search;
pub(crate) mod warning;
pub(crate) mod way;
