//! The three spaces in which a latent code can lie.

use std::fmt;
use std::str::FromStr;

use crate::latent::LatentError;

/// A latent space of a GAN.
///
/// Written `z`, `w` and `w+`, and read back the same way, in lower case only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LatentSpace {
    /// What is sampled: normally distributed, shape \[dim\].
    Z,
    /// What mapping makes of z: shape \[dim\].
    W,
    /// One w for each layer of synthesis: shape \[layers, dim\].
    WPlus,
}

impl LatentSpace {
    /// Rows and columns of a code or a normal in this space, from the shapes that people's files have: `(dim,)` and
    /// `(1, dim)` in z and w, `(layers, dim)` and `(1, layers, dim)` in w+. `None` for any other shape.
    #[must_use]
    pub fn rows_and_columns(self, shape: &[usize]) -> Option<(usize, usize)> {
        match (self, shape) {
            (Self::WPlus, &[layers, dim] | &[1, layers, dim]) => Some((layers, dim)),
            (Self::Z | Self::W, &[dim] | &[1, dim]) => Some((1, dim)),
            _ => None,
        }
    }
}

impl fmt::Display for LatentSpace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Z => "z",
            Self::W => "w",
            Self::WPlus => "w+",
        })
    }
}

impl FromStr for LatentSpace {
    type Err = LatentError;

    fn from_str(text: &str) -> Result<Self, LatentError> {
        match text {
            "z" => Ok(Self::Z),
            "w" => Ok(Self::W),
            "w+" => Ok(Self::WPlus),
            _ => Err(LatentError::UnknownSpace {
                found: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_space_is_read_as_it_is_written() {
        for space in [LatentSpace::Z, LatentSpace::W, LatentSpace::WPlus] {
            assert_eq!(space.to_string().parse(), Ok(space));
        }
    }

    #[test]
    fn the_shapes_that_people_have_are_taken() {
        use LatentSpace::{W, WPlus, Z};
        for (space, shape, expected) in [
            (Z, &[512][..], Some((1, 512))),
            (W, &[1, 512], Some((1, 512))),
            (WPlus, &[18, 512], Some((18, 512))),
            (WPlus, &[1, 18, 512], Some((18, 512))),
            (Z, &[2, 512], None),
            (WPlus, &[512], None),
            (Z, &[], None),
        ] {
            assert_eq!(space.rows_and_columns(shape), expected, "{space} {shape:?}");
        }
    }

    #[test]
    fn an_unknown_space_is_told_the_three() {
        let message = "W".parse::<LatentSpace>().unwrap_err().to_string();
        assert!(
            message.starts_with("`W` is no latent space; expected one of `z`, `w`, `w+`"),
            "{message}"
        );
    }
}
