//! Optimization: minimizers of a loss, and searches for a measured value.
//!
//! It never computes a loss or its gradient; the caller does, at the codes that a method asks for.
//!
//! | to find | look in |
//! | --- | --- |
//! | Adam with the learning rate of StyleGAN2's projector | `adam` |
//! | limited-memory BFGS with a pull towards an anchor | `lbfgs` |
//! | a scale of codes in which all directions are alike | `whitening` |
//! | the distance along a direction at which a value is reached | `root_search` |
//! | a step along several directions towards several values | `damped_least_squares` |

pub(crate) mod adam;
pub(crate) mod damped_least_squares;
pub(crate) mod lbfgs;
pub(crate) mod root_search;
pub(crate) mod whitening;
