//! The linear support vector machine, with the solution of scikit-learn's `SVC(kernel="linear")`.
//!
//! It never knows where its samples come from.
//!
//! | to find | look in |
//! | --- | --- |
//! | what is minimized | `problem` |
//! | the decomposition into blocks, and when it ends | `decomposition` |
//! | sequential minimal optimization within a block | `smo` |
//! | Newton's method for classes that overlap | `newton` |

pub(crate) mod decomposition;
mod newton;
pub(crate) mod problem;
mod smo;
