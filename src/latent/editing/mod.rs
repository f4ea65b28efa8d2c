//! Edits of latent codes.
//!
//! It never fits a boundary and never knows which image a code gives.
//!
//! | to find | look in |
//! | --- | --- |
//! | the conditional projection | `condition` |
//! | a direction, and how it shifts a code | `direction` |
//! | the speed of a motion | `easing` |
//! | relative and absolute edits, several at once | `edit` |
//! | one step along the gradient of a score | `gradient_step` |
//! | codes between two codes | `interpolation` |
//! | some layers of another code | `style_mixing` |
//! | a series of evenly spaced amounts | `trajectory` |
//! | the unit of amounts | `unit` |

pub(crate) mod condition;
pub(crate) mod direction;
pub(crate) mod easing;
pub(crate) mod edit;
pub(crate) mod gradient_step;
pub(crate) mod interpolation;
pub(crate) mod style_mixing;
pub(crate) mod trajectory;
pub(crate) mod unit;
