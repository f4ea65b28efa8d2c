//! Sampling: latent codes and permutations from seeds, with the bits of numpy's `RandomState`.
//!
//! It never chooses a seed.
//!
//! | to find | look in |
//! | --- | --- |
//! | the numbers and the z code of a seed | `standard_normal` |
//! | many z codes of one seed | `code_sampler` |
//! | the permutation of a seed | `shuffle` |
//! | ranges of seeds, cut into chunks and shards | `seed_range` |

pub(crate) mod code_sampler;
pub(crate) mod seed_range;
pub(crate) mod shuffle;
pub(crate) mod standard_normal;
