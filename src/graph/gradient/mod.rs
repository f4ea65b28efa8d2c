//! Graphs of gradients by a latent code: reverse-mode differentiation.
//!
//! - The loss between a generator's image and a target. The graph is made from the generator's and, for the perceptual part of the
//!   loss, from a network of images, such as the encoder. It has the inputs `w` (or `z`) and `target`, and the outputs `loss`,
//!   `gradient` and `perceptual`; `onnx/README.md` describes them.
//! - The scores of a generator's image. The graph is made from the generator's and from those of the classifiers. It has the inputs
//!   `w` (or `z`) and `weights`, and the outputs `scores` and `gradient`.
//!
//! They are graphs of standard operators with an open batch. No operator adds to elements by index: ONNX Runtime does that on
//! several threads without a lock.
//!
//! | to find | look in |
//! | --- | --- |
//! | the loss | `loss` |
//! | the scores | `scores` |
//! | images as a network takes them | `image_conversion` |
//! | the tensors of a network that are its features | `features` |
//! | the gradient of any graph | `product` |
//! | the backward pass | `derivative` |
//! | the rule of an operator | `rules` |
//! | the graph while it grows | `tape` |
//! | operators that are computed when the graph is made | `fold` |
//! | older forms of operators | `upgrade` |

mod derivative;
mod features;
mod finish;
mod fold;
mod image_conversion;
mod input;
mod loss;
mod ops;
mod product;
mod resampling;
mod rules;
mod scores;
mod step;
mod tape;
mod upgrade;

pub use image_conversion::ImageConversion;
pub use loss::{Perceptual, loss_gradient};
pub use product::vector_jacobian_product;
pub use scores::{LinearScore, ScoreReading, ScoringNetwork, score_gradient};
