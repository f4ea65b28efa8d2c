//! StyleGAN3, T and R (Karras et al., "Alias-Free Generative Adversarial Networks", NeurIPS 2021).
//!
//! | to find | look in |
//! | --- | --- |
//! | the weights of a generator, with their shapes checked | `generator` |
//! | the size of each layer, and its padding | `geometry` |
//! | w codes → image | `synthesis` |
//! | w → style | `affine` |
//! | the input of the first layer | `fourier` |
//! | the filtered nonlinearity | `filtering`, `phases` |

mod affine;
mod filtering;
mod fourier;
mod generator;
mod geometry;
mod phases;
mod synthesis;

use crate::checkpoint::{Checkpoint, Network};
use crate::importing::{Generator, ImportError, Imported, Weights, stylegan2};

/// The name of the architecture in errors.
const ARCHITECTURE: &str = "StyleGAN3";

/// Builds the graphs of a StyleGAN3 generator, or returns `None` if the network is something else.
pub(crate) fn import(_: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE);
    let known = ["freqs", "phases", "transform"];
    let is_known = known
        .iter()
        .any(|tensor| weights.has(&format!("synthesis.input.{tensor}")));
    is_known.then(|| Ok(Imported::Generator(Box::new(build(network, weights)?))))
}

fn build(network: &Network, weights: Weights<'_>) -> Result<Generator, ImportError> {
    let mapping = stylegan2::nvidia_mapping(weights)?;
    let synthesis = generator::read(network, weights, mapping.w_dim)?;
    let w_avg = weights.shaped("mapping.w_avg", [mapping.w_dim])?;
    Ok(Generator {
        architecture: format!("StyleGAN3, {}", synthesis.config()),
        chosen: weights.network().to_owned(),
        resolution: synthesis.resolution(),
        z_dim: mapping.z_dim,
        w_dim: mapping.w_dim,
        layers: synthesis.codes(),
        classes: mapping.classes,
        mapping: Some(mapping.graph),
        synthesis: synthesis::build(&synthesis, mapping.w_dim),
        w_avg: Some(w_avg),
        truncation: (1.0, None),
    })
}
