//! PGGAN (Karras et al., ICLR 2018): progressive growing, without a mapping.
//!
//! | to find | look in |
//! | --- | --- |
//! | the graph | `network` |
//! | the weights, whatever the checkpoint calls them | `weights` |
//! | the names in NVIDIA's TensorFlow pickles | `tensorflow` |
//! | the names in GenForce's and SeFa's state dicts, and in InterFaceGAN's | `state_dict` |

mod network;
mod state_dict;
mod tensorflow;
mod weights;

use crate::checkpoint::{Checkpoint, Network};
use crate::importing::pggan::weights::GeneratorWeights;
use crate::importing::{Generator, ImportError, Imported, Weights};

const ARCHITECTURE: &str = "PGGAN";

/// Reads the weights under the names of one kind of checkpoint, or returns `None` if the network has other names.
type Naming = fn(&Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>>;

const NAMINGS: &[Naming] = &[
    tensorflow::read,
    state_dict::read_genforce,
    state_dict::read_interfacegan,
];

/// The generator of a network, or `None` if the network is no PGGAN.
pub(super) fn import(_: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE);
    let found = NAMINGS.iter().find_map(|naming| naming(&weights))?;
    Some(found.map(|weights| Imported::Generator(Box::new(generator(network, &weights)))))
}

fn generator(network: &Network, weights: &GeneratorWeights) -> Generator {
    Generator {
        architecture: ARCHITECTURE.to_owned(),
        chosen: network.name.clone(),
        resolution: weights.resolution(),
        z_dim: weights.z_dim(),
        w_dim: weights.z_dim(),
        layers: 1,
        classes: 0,
        mapping: None,
        synthesis: network::synthesis(weights),
        w_avg: None,
        truncation: (1.0, None),
    }
}
