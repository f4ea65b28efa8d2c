//! Directions without labels: found in the generator's weights, or in its codes.
//!
//! | to find | look in |
//! | --- | --- |
//! | which directions to find, and by which method | `request` |
//! | how they are found in a job, and become boundaries | `finder` |
//!
//! The mathematics is [`sefa`](crate::latent::sefa) and [`principal_components`](crate::latent::principal_components). A direction becomes
//! a boundary without a classifier, so that all edits work with it.

pub(crate) mod finder;
pub(crate) mod request;
