//! The request for directions without labels.

use std::fmt;

/// The directions to find.
#[derive(Clone, Copy, Debug)]
pub struct DirectionsRequest {
    /// How they are found.
    pub method: DirectionMethod,
    /// How many; at most as many as a code has values.
    pub count: usize,
    /// How many codes are sampled for principal components.
    pub samples: usize,
    /// The seed of these codes.
    pub seed: u32,
}

/// How directions are found without labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectionMethod {
    /// `SeFa`: along which the weights of the generator change its layers most.
    Sefa,
    /// GANSpace: along which w codes vary most, their principal components.
    Pca,
}

impl fmt::Display for DirectionMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sefa => "sefa",
            Self::Pca => "pca",
        })
    }
}

impl DirectionsRequest {
    /// The names of the boundaries: `sefa-1`, `sefa-2`, …
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        (1..=self.count)
            .map(|rank| format!("{}-{rank}", self.method))
            .collect()
    }

    /// How many codes are sampled: `SeFa` needs none.
    #[must_use]
    pub fn sampled(&self) -> usize {
        match self.method {
            DirectionMethod::Sefa => 0,
            DirectionMethod::Pca => self.samples,
        }
    }
}
