//! The part of a photograph that a model gets.
//!
//! It never finds landmarks itself; a network or the caller does.
//!
//! | to find | look in |
//! | --- | --- |
//! | the centre and crops | `frame` |
//! | FFHQ's alignment of a face | `alignment` |
//! | the landmarks of a face, and the square that FFHQ crops | `landmarks` |
//! | what lies outside of the photograph | `mirror_padding` |
//! | squares that may be rotated | `rotated_square` |

pub(super) mod alignment;
pub(super) mod frame;
pub(super) mod landmarks;
mod mirror_padding;
mod rotated_square;
