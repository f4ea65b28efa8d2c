//! Edits along the gradient of a score, which hold other scores on the way.
//!
//! | to find | look in |
//! | --- | --- |
//! | the edit: which walks it needs | `gradient_edit` |
//! | the walk, step by step | `walk` |
//! | the boundaries that it follows, where there are some | `planes` |
//! | the scores and gradients at a code, in the code's space | `slopes` |
//! | what the response says about a walk | `result` |

pub(crate) mod gradient_edit;
mod planes;
pub(crate) mod result;
mod slopes;
mod walk;
