//! The mathematics of hyperplanes in latent space, which knows no network, no file and no server.
//!
//! Shen et al., *Interpreting the Latent Space of GANs for Semantic Face Editing* (CVPR 2020; TPAMI 2020): an
//! attribute with two values has a hyperplane in latent space that separates them, and a code that moves
//! along the plane's unit normal changes that attribute.
//!
//! | to | go to |
//! | --- | --- |
//! | draw a code from a seed | [`sample_z`] |
//! | draw many from one | [`Samples`] |
//! | hold one | [`LatentCode`], in a [`LatentSpace`] |
//! | pull it towards the average | [`Truncation`] |
//! | measure on which side it lies, and how far | [`Boundary::signed_distance`] |
//! | move it | [`Direction`], [`Edit`], [`apply`] |
//! | move it and keep other attributes | [`condition`] |
//! | move it in steps | [`Trajectory`] |
//! | move it until something measured has a value | [`LineSearch`], [`correction`] |
//! | find the one behind a picture | [`Adam`]; [`Bfgs`], by a [`Whitening`] |
//! | find a boundary by scored codes | [`Separation::separate`] |
//! | tell attributes that go together | [`correlation`], [`cosines`] |
//!
//! Every value is checked once, when it is made; a value that exists is right, and none can be changed. Codes
//! are kept in `f32`, as networks take them; arithmetic is in `f64`, in a fixed order, and is rounded once at
//! its end, so the same input gives the same bits. Finding boundaries multiplies matrices as fast as the processor
//! can: there the same bits come from one kind of processor.

mod boundary;
mod code;
mod condition;
mod correlation;
mod direction;
mod edit;
mod error;
pub(crate) mod fitting;
mod layers;
mod line_search;
pub(crate) mod linear_algebra;
pub(crate) mod optim;
mod samples;
mod sampling;
mod space;
mod trajectory;
mod truncation;

pub use boundary::{Accuracy, Boundary, Provenance};
pub use code::LatentCode;
pub use condition::{Conditioned, condition};
pub use correlation::{correlation, cosines};
pub use direction::Direction;
pub use edit::{Amount, Edit, apply};
pub use error::LatentError;
pub use fitting::separation::{FitMethod, SampleSelection, Separation};
pub use layers::LayerRange;
pub use line_search::{LineSearch, correction};
pub use optim::adam::{Adam, AdamSchedule};
pub use optim::bfgs::Bfgs;
pub use optim::whitening::Whitening;
pub use samples::Samples;
pub use sampling::{sample_z, standard_normal};
pub use space::LatentSpace;
pub use trajectory::Trajectory;
pub use truncation::Truncation;
