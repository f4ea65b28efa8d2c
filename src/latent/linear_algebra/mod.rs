//! Linear algebra in `f64`, with a fixed order of summation.
//!
//! It never knows what its numbers mean.
//!
//! | to find | look in |
//! | --- | --- |
//! | dot products and norms | `dot_product` |
//! | projections onto the complement of several directions | `orthonormal_span` |
//! | small systems of linear equations | `linear_system` |
//! | the factor of a positive definite matrix, and large systems | `cholesky` |
//! | systems that differ by a shift of their diagonal | `tridiagonal` |
//! | eigenvectors | `eigen` |
//! | means and scatter matrices of codes | `code_rows` |
//! | work in two threads | `halves` |

pub(crate) mod cholesky;
pub(crate) mod code_rows;
pub(crate) mod dot_product;
pub(crate) mod eigen;
pub(crate) mod halves;
pub(crate) mod linear_system;
pub(crate) mod orthonormal_span;
pub(crate) mod tridiagonal;
