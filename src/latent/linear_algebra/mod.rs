//! Linear algebra.

pub(crate) mod normal_equations;
pub(crate) mod product;
pub(crate) mod span;
pub(crate) mod system;
