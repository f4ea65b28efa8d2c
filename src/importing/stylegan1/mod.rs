//! StyleGAN (Karras et al., CVPR 2019), the first version.
//!
//! | to find | look in |
//! | --- | --- |
//! | the graphs | `network` |
//! | the weights, whatever the checkpoint calls them | `weights` |
//! | the names in NVIDIA's TensorFlow pickles | `tensorflow` |
//! | the names in GenForce's and SeFa's state dicts | `genforce` |
//! | the names in InterFaceGAN's state dicts | `interfacegan` |
//! | what the readers of names share | `reading` |

mod genforce;
mod interfacegan;
mod network;
mod reading;
mod tensorflow;
mod weights;

use crate::checkpoint::{Checkpoint, Network};
use crate::importing::stylegan1::weights::GeneratorWeights;
use crate::importing::{Generator, ImportError, Imported, Weights};

const ARCHITECTURE: &str = "StyleGAN";
/// The truncation that the original program has by default: psi, and the number of layers.
const TRUNCATION: (f64, usize) = (0.7, 8);

/// Reads the weights under the names of one kind of checkpoint, or returns `None` if the network has other names.
type Naming = fn(&Network, &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>>;

const NAMINGS: &[Naming] = &[tensorflow::read, genforce::read, interfacegan::read];

/// The generator of a network, or `None` if the network is no StyleGAN.
pub(super) fn import(_: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE);
    let found = NAMINGS.iter().find_map(|naming| naming(network, &weights))?;
    Some(found.map(|weights| Imported::Generator(Box::new(generator(network, weights)))))
}

fn generator(network: &Network, weights: GeneratorWeights) -> Generator {
    let (psi, layers) = TRUNCATION;
    Generator {
        architecture: ARCHITECTURE.to_owned(),
        chosen: network.name.clone(),
        resolution: weights.resolution(),
        z_dim: weights.z_dim(),
        w_dim: weights.w_dim(),
        layers: weights.layers(),
        classes: 0,
        mapping: Some(network::mapping(&weights)),
        synthesis: network::synthesis(&weights),
        truncation: (psi, (layers < weights.layers()).then_some(layers)),
        w_avg: weights.w_avg,
    }
}
