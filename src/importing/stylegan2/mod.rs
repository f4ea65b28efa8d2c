//! StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020).
//!
//! Many programs train this network, and each names its tensors differently. One file for each program reads a checkpoint
//! into a [`Stylegan2`]. The graphs are built from that.
//!
//! | to find | look in |
//! | --- | --- |
//! | the weights of a generator, whichever program trained it | `generator` |
//! | whether the sizes of the weights fit | `check` |
//! | z → w | `mapping` |
//! | w codes → image | `synthesis` |
//! | NVIDIA's PyTorch programs: StyleGAN2-ADA, and StyleGAN2 in the repository of StyleGAN3 | `nvidia` |
//! | NVIDIA's TensorFlow program | `tensorflow` |
//! | rosinality's program, and the decoder of e4e and pSp | `rosinality` |
//! | GenForce and SeFa | `genforce` |

mod check;
mod generator;
mod genforce;
mod mapping;
mod nvidia;
mod rosinality;
mod synthesis;
mod tensorflow;

use generator::{ARCHITECTURE, Stylegan2};
use ndarray::Array1;

use crate::checkpoint::{Checkpoint, Network};
use crate::graph::Model;
use crate::importing::{Generator, ImportError, Imported, Weights};

/// Builds the graphs of a StyleGAN2 generator, or returns `None` if the network is something else.
pub(crate) fn import(checkpoint: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE);
    let generator = nvidia::read(network, weights)
        .or_else(|| tensorflow::read(weights))
        .or_else(|| rosinality::read(checkpoint, weights))
        .or_else(|| genforce::read(weights))?;
    let imported = generator.and_then(|generator| build(&generator, weights.network()));
    Some(imported.map(|generator| Imported::Generator(Box::new(generator))))
}

/// The generator in a larger network, such as an encoder's: its tensors have rosinality's names, below `prefix`.
///
/// # Errors
/// [`ImportError`] if a tensor is missing or has another shape than the architecture has.
pub(crate) fn decoder(
    network: &Network,
    prefix: &'static str,
    w_avg: Option<Array1<f32>>,
) -> Result<Generator, ImportError> {
    let weights = Weights::new(network, ARCHITECTURE).within(prefix);
    build(
        &rosinality::generator(weights, w_avg)?,
        prefix.trim_end_matches('.'),
    )
}

/// The mapping network of NVIDIA's PyTorch programs. StyleGAN3 has it, too.
pub(crate) struct MappingNetwork {
    /// `z`, and `label` if there are classes, → `w`.
    pub(crate) graph: Model,
    /// Length of z.
    pub(crate) z_dim: usize,
    /// Length of w.
    pub(crate) w_dim: usize,
    /// The number of classes.
    pub(crate) classes: usize,
}

/// Builds the graph of the mapping network of NVIDIA's PyTorch programs.
///
/// # Errors
/// [`ImportError`] if a tensor is missing or has another shape than the architecture has.
pub(crate) fn nvidia_mapping(weights: Weights<'_>) -> Result<MappingNetwork, ImportError> {
    let mapping = nvidia::mapping(weights)?;
    check::check_mapping(&mapping, weights.network())?;
    Ok(MappingNetwork {
        z_dim: mapping.z_dim(),
        w_dim: mapping.w_dim(),
        classes: mapping.classes(),
        graph: mapping::build(&mapping),
    })
}

/// Builds the graphs of a generator that the file calls `chosen`.
fn build(generator: &Stylegan2, chosen: &str) -> Result<Generator, ImportError> {
    check::check(generator, chosen)?;
    let mapping = &generator.mapping;
    Ok(Generator {
        architecture: format!("StyleGAN2, {}", generator.synthesis.architecture()),
        chosen: chosen.to_owned(),
        resolution: generator.synthesis.resolution(),
        z_dim: mapping.z_dim(),
        w_dim: mapping.w_dim(),
        layers: generator.synthesis.codes(),
        classes: mapping.classes(),
        mapping: Some(mapping::build(mapping)),
        synthesis: synthesis::build(&generator.synthesis, mapping.w_dim()),
        w_avg: generator.w_avg.clone(),
        truncation: generator.truncation,
    })
}
