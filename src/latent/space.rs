//! The three spaces in which a latent code can lie.

use std::fmt;
use std::str::FromStr;

use super::LatentError;

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
    fn an_unknown_space_is_told_the_three() {
        let message = "W".parse::<LatentSpace>().unwrap_err().to_string();
        assert!(
            message.starts_with("`W` is no latent space; expected one of `z`, `w`, `w+`"),
            "{message}"
        );
    }
}
