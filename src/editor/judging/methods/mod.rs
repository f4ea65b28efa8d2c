//! Methods of editing, compared at equal change of the target.
//!
//! | to find | look in |
//! | --- | --- |
//! | which methods and faces a report compares | [`Comparisons`](own_comparison::Comparisons) |
//! | which methods a model has, and where another is added | [`methods_of`](method::methods_of) |
//! | how a method moves one attribute of a face | [`Walk`](walk::Walk) |
//! | the faces that all methods move | `faces` |
//! | what is compared: dependency, re-scoring, identity | `effect` |
//! | directions without labels as a method | `components` |
//! | style channels as a method | `style_channels` |
//! | how the walks are rendered, scored and timed | `comparison` |
//! | the true values of codes, where a graph knows them | `truth` |
//! | edit, invert, undo | `manipulation_inversion` |
//!
//! It knows faces before and after edits. It never knows how a method's boundaries were found.

pub(crate) mod comparison;
pub(crate) mod components;
pub(crate) mod effect;
pub(crate) mod faces;
pub(crate) mod manipulation_inversion;
pub(crate) mod method;
pub(crate) mod own_comparison;
pub(crate) mod style_channels;
pub(crate) mod truth;
pub(crate) mod walk;
