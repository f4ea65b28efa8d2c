//! Directions that need no labels: those along which a generator's layers, or its codes, vary most.
//!
//! | to find | look in |
//! | --- | --- |
//! | a direction and how much varies along it | `component` |
//! | `SeFa`: from the weights of the generator | `sefa` |
//! | GANSpace: from many w codes | `principal` |

pub(crate) mod component;
pub(crate) mod principal;
pub(crate) mod sefa;
