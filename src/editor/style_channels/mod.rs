//! Ranking of style channels: what each channel of a synthesis network's styles changes, and boundaries in s that move the best ones.
//!
//! Source: Wu, Lischinski and Shechtman, *`StyleSpace` Analysis: Disentangled Controls for StyleGAN Image Generation* (CVPR 2021). They
//! rank channels by what moves in the picture; here the model's classifiers say it.
//!
//! | to find | look in |
//! | --- | --- |
//! | how the effects are measured | `effects` |
//! | the order of the channels, and the boundary of an attribute | `ranking` |
//! | the job | `ranker` |
//! | why styles cannot be used | `error` |

pub(crate) mod effects;
pub(crate) mod error;
pub(crate) mod ranker;
pub(crate) mod ranking;
