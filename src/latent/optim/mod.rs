//! Optim.

pub(crate) mod adam;
pub(crate) mod bfgs;
pub(crate) mod whitening;
