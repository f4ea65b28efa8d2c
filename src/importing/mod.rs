//! Checkpoints of published architectures, converted to ONNX graphs.
//!
//! An architecture is one folder or file, with a function that takes a [`Network`] of a checkpoint and
//! returns `None` if the network is something else. A new architecture is one file and one line in `ARCHITECTURES`.
//! ONNX files that somebody exported are taken over by [`onnx`].
//! This layer runs no network and writes no file: `cli/import` composes it with the engine.

mod encoder;
mod error;
mod feature_maps;
mod guess;
mod image_layers;
mod imported;
mod iresnet;
mod normalization;
pub mod onnx;
mod pggan;
mod progressive;
mod stylegan1;
mod stylegan2;
mod stylegan3;
mod styles;
mod weights;

use crate::checkpoint::{Checkpoint, Network};

pub use error::ImportError;
pub use guess::{Guess, GuessedKind, guess};
pub use imported::{Encoder, Generator, Imported, Recognizer};
pub use weights::Weights;

/// Builds the graphs of a network, or returns `None` if the network has another architecture.
type Architecture = fn(&Checkpoint, &Network) -> Option<Result<Imported, ImportError>>;

/// The architectures, in the order in which they are tried.
const ARCHITECTURES: &[Architecture] = &[
    stylegan2::import,
    stylegan3::import,
    stylegan1::import,
    pggan::import,
    encoder::import,
    iresnet::import,
];

/// The names of the network to use if a file has several: the average of a generator's weights over its training.
const PREFERRED: &[&str] = &["G_ema", "g_ema", "Gs", "generator_smooth"];

/// Recognises the architecture of a checkpoint by its content, and builds its graphs.
///
/// # Errors
/// [`ImportError`] if no architecture fits, or if a tensor is missing or has another shape than the architecture has.
pub fn import(checkpoint: &Checkpoint) -> Result<Imported, ImportError> {
    let preferred = PREFERRED
        .iter()
        .filter_map(|name| checkpoint.networks.iter().find(|network| network.name == **name));
    for network in preferred.chain(&checkpoint.networks) {
        for architecture in ARCHITECTURES {
            if let Some(imported) = architecture(checkpoint, network) {
                return imported;
            }
        }
    }
    let networks = checkpoint.networks.iter();
    let networks =
        networks.map(|network| format!("{:?} with {} tensors", network.name, network.tensors.len()));
    let networks = networks.collect::<Vec<_>>().join(", ");
    Err(ImportError::UnknownArchitecture {
        found: if networks.is_empty() {
            "no tensors".to_owned()
        } else {
            networks
        },
    })
}
