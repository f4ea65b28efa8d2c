//! Converts images for networks that other people trained, and reads what these networks say.
//!
//! The manifest describes both. This folder knows no session: `Network` runs the graph.
//!
//! | to find | look in |
//! | --- | --- |
//! | the steps from the generator's image to a network's input | `image_input` |
//! | the axes of a network's input | `input_shape` |
//! | the filter of resizing | `resizing` |
//! | order, range, mean and standard deviation of the channels | `channels` |
//! | graphs of float16 or uint8 | `element_types` |
//! | scores out of a classifier's outputs | `scores` |
//! | landmarks out of a landmark graph's output | `landmark_points` |

pub(crate) mod channels;
pub(crate) mod element_types;
pub(crate) mod image_input;
pub(crate) mod input_shape;
pub(crate) mod landmark_points;
pub(crate) mod resizing;
pub(crate) mod scores;
#[cfg(test)]
mod tests;
