//! The mathematics of boundaries in latent space.
//!
//! Shen et al., *Interpreting the Latent Space of GANs for Semantic Face Editing* (CVPR 2020; TPAMI 2020): for an
//! attribute with two values, a hyperplane in latent space separates the codes of one value from those of the other. If
//! a code moves along the hyperplane's normal, the attribute of its image changes.
//!
//! This layer knows latent codes, boundaries and numbers. It never knows a network, a file or a server. Only
//! the matrix products of a fit use a second thread.
//!
//! | to find | look in |
//! | --- | --- |
//! | a latent code and the space that it lies in | [`LatentCode`], [`LatentSpace`] |
//! | the label of a class-conditional generator | [`Label`] |
//! | truncation towards the average code | [`Truncation`] |
//! | the code of a seed, and many codes of one seed | [`sample_z`], [`CodeSampler`] |
//! | the signed distance of a code from a boundary | [`Boundary::signed_distance`] |
//! | an edit of a code | [`Direction`], [`Edit`], [`apply`] |
//! | the unit of an edit's amount | [`Unit`] |
//! | where the samples are, seen from a boundary | [`Spread`], [`CodeMoments`] |
//! | the conditional projection: a direction that keeps other attributes | [`condition`] |
//! | one step along the gradient of a score, while others are held | [`gradient_step`] |
//! | a series of amounts, and its speed | [`Trajectory`], [`Easing`] |
//! | codes between two codes; some layers of another code | [`interpolate`], [`mix_layers`] |
//! | where a boundary is fitted to scored codes | [`BoundaryFit::fit`] |
//! | directions without labels, from weights or from codes | [`sefa`], [`principal_components`] |
//! | how strongly attributes depend on each other | [`correlation`], [`cosines`] |
//! | an edit until a measured value reaches its target | [`RootSearch`], [`damped_least_squares_step`] |
//! | the code of an image, by optimization | [`Adam`]; [`Lbfgs`] in deviations of a [`Whitening`] |
//!
//! Each value is checked once, when it is made, and never changes afterwards. Codes are stored as `f32`, as networks
//! take them. Arithmetic is in `f64` and rounded once at the end. Its order is fixed, so that the same input gives the
//! same bits on every machine. The exceptions are [`BoundaryFit`] and [`CodeMoments`], which multiply matrices as fast as the processor
//! can: its bits are the same on one kind of processor.

mod boundaries;
mod codes;
mod components;
mod editing;
mod error;
mod fitting;
mod linear_algebra;
mod optim;
mod sampling;
mod statistics;

pub use boundaries::attribute_name::check_attribute_name;
pub use boundaries::boundary::Boundary;
pub use boundaries::cosines::cosines;
pub use boundaries::doubt::Doubt;
pub use boundaries::provenance::{Accuracy, Provenance};
pub use boundaries::spread::{CodeMoments, Spread};
pub use boundaries::style_channel::StyleChannel;
pub use codes::code::LatentCode;
pub use codes::label::Label;
pub use codes::layer_range::LayerRange;
pub use codes::space::{LatentSpace, UnknownSpace};
pub use codes::truncation::Truncation;
pub use components::component::Component;
pub use components::principal::principal_components;
pub use components::sefa::sefa;
pub use editing::condition::{Conditioned, condition, condition_on};
pub use editing::direction::Direction;
pub use editing::easing::Easing;
pub use editing::edit::{Amount, Edit, apply};
pub use editing::gradient_step::{GradientStep, gradient_step};
pub use editing::interpolation::interpolate;
pub use editing::style_mixing::mix_layers;
pub use editing::trajectory::Trajectory;
pub use editing::unit::Unit;
pub use error::LatentError;
pub(crate) use fitting::agreement::CODES_PER_VALUE;
pub(crate) use fitting::area_under_curve::AreaDifference;
pub use fitting::error::FitError;
pub use fitting::fit::{BoundaryFit, CodesToFit, FitMethod, SampleSelection, SharedCodes};
pub(crate) use fitting::scored_codes::valid_samples;
pub use optim::adam::{Adam, AdamSchedule};
pub use optim::damped_least_squares::damped_least_squares_step;
pub use optim::lbfgs::Lbfgs;
pub use optim::root_search::RootSearch;
pub use optim::whitening::Whitening;
pub use sampling::code_sampler::CodeSampler;
pub use sampling::seed_range::{InvalidSeedRange, InvalidShard, SeedChunk, SeedRange, Shard};
pub use sampling::standard_normal::{sample_z, standard_normal, standard_uniform};
pub use statistics::correlation;
pub(crate) use statistics::{median, min_max};
