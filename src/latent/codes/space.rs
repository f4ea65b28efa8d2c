//! The latent spaces z, w, w+ and s, and their names.

use std::fmt;
use std::str::FromStr;

/// A latent space of a GAN. The names are `z`, `w`, `w+` and `s`, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LatentSpace {
    /// The space that is sampled: normally distributed, shape \[dim\].
    Z,
    /// The output of the mapping network: shape \[dim\].
    W,
    /// One w code per layer of the synthesis network: shape \[layers, dim\].
    WPlus,
    /// The styles of all layers of the synthesis network, side by side in one row: shape \[channels\] (`StyleSpace`, Wu et al., CVPR
    /// 2021). A style scales one channel of a layer's features.
    S,
}

impl LatentSpace {
    /// All spaces, in the order in which codes are converted.
    pub const ALL: [Self; 4] = [Self::Z, Self::W, Self::WPlus, Self::S];

    /// Rows and columns of a code or a normal in this space, from the `shape` of an array: `(dim,)` or `(1, dim)` in z,
    /// w and s, `(layers, dim)` or `(1, layers, dim)` in w+. `None` for any other shape.
    #[must_use]
    pub fn rows_and_columns(self, shape: &[usize]) -> Option<(usize, usize)> {
        match (self, shape) {
            (Self::WPlus, &[layers, dim] | &[1, layers, dim]) => Some((layers, dim)),
            (Self::Z | Self::W | Self::S, &[dim] | &[1, dim]) => Some((1, dim)),
            _ => None,
        }
    }
}

/// A text that names no latent space.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found the latent space `{found}`; expected `z`, `w`, `w+` or `s` in lower case")]
pub struct UnknownSpace {
    /// The text.
    pub found: String,
}

impl fmt::Display for LatentSpace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Z => "z",
            Self::W => "w",
            Self::WPlus => "w+",
            Self::S => "s",
        })
    }
}

impl FromStr for LatentSpace {
    type Err = UnknownSpace;

    fn from_str(text: &str) -> Result<Self, UnknownSpace> {
        match text {
            "z" => Ok(Self::Z),
            "w" => Ok(Self::W),
            "w+" => Ok(Self::WPlus),
            "s" => Ok(Self::S),
            _ => Err(UnknownSpace {
                found: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for space in LatentSpace::ALL {
            assert_eq!(space.to_string().parse(), Ok(space));
        }
    }

    #[test]
    fn array_shapes_are_read_as_rows_and_columns() {
        use LatentSpace::{S, W, WPlus, Z};
        for (space, shape, expected) in [
            (Z, &[512][..], Some((1, 512))),
            (W, &[1, 512], Some((1, 512))),
            (WPlus, &[18, 512], Some((18, 512))),
            (WPlus, &[1, 18, 512], Some((18, 512))),
            (S, &[1, 9088], Some((1, 9088))),
            (Z, &[2, 512], None),
            (S, &[18, 512], None),
            (WPlus, &[512], None),
            (Z, &[], None),
        ] {
            assert_eq!(space.rows_and_columns(shape), expected, "{space} {shape:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_four_names() {
        let message = "W".parse::<LatentSpace>().unwrap_err().to_string();
        assert_eq!(
            message,
            "found the latent space `W`; expected `z`, `w`, `w+` or `s` in lower case"
        );
    }
}
