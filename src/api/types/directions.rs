//! The request to find directions without labels.

use crate::api::decode::declare::fields;
use crate::api::decode::fields::Required;
use crate::api::types::choice::choice;
use crate::api::types::number::{Integer, MOST_U32, Seed};
use crate::editor::{DirectionMethod, DirectionsRequest};

/// The number of directions of a request that names none.
const COUNT: usize = 10;

/// The number of samples of a request that names none.
const SAMPLES: usize = 10_000;

choice! {
    /// How directions are found.
    pub(crate) enum DirectionMethodName as DirectionMethod {
        /// SeFa: the directions along which the weights of the generator change its layers most.
        Sefa = "sefa",
        /// GANSpace: the principal components of sampled w codes.
        Pca = "pca",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro declares the enum")]
impl Default for DirectionMethodName {
    fn default() -> Self {
        Self::Sefa
    }
}

fields! {
    /// The directions to find without labels. Each becomes a boundary: `sefa-1`, `sefa-2` and so on, or `pca-1` and so on.
    #[examples(serde_json::json!({"method": "pca", "count": 3, "samples": 500, "seed": 1}))]
    pub(crate) struct DirectionsInput {
        /// How they are found.
        method: Required<DirectionMethodName>,
        /// How many. Default: 10.
        count: Option<Integer<1, 512>>,
        /// How many codes are sampled for `pca`. Default: 10,000.
        samples: Option<Integer<2, MOST_U32>>,
        /// The seed of these codes. Default: 0.
        seed: Option<Seed>,
    }
}

impl DirectionsInput {
    /// The editor's request.
    pub(crate) fn request(&self) -> DirectionsRequest {
        DirectionsRequest {
            method: match *self.method {
                DirectionMethodName::Sefa => DirectionMethod::Sefa,
                DirectionMethodName::Pca => DirectionMethod::Pca,
            },
            count: self.count.map_or(COUNT, Integer::usize),
            samples: self.samples.map_or(SAMPLES, Integer::usize),
            seed: self.seed.map_or(0, Integer::u32),
        }
    }
}
