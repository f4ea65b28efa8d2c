//! Encoders of images into w+: e4e (Tov et al., "Designing an Encoder for StyleGAN Image Manipulation", SIGGRAPH 2021) and pSp
//! (Richardson et al., "Encoding in Style", CVPR 2021).
//!
//! | to find | look in |
//! | --- | --- |
//! | image → features at three sizes | `backbone` |
//! | features → codes | `heads` |

mod backbone;
mod heads;

use heads::Codes;
use ndarray::{Array1, Array2, Axis, Ix1, Ix2};

use crate::checkpoint::{Checkpoint, Network, Object};
use crate::graph::{Axis as Length, Model};
use crate::importing::image_layers::ImageLayers;
use crate::importing::{Encoder, Generator, ImportError, Imported, Weights, stylegan2};

/// The name of the architecture in errors.
const ARCHITECTURE: &str = "an encoder to w+";
/// The name of the encoder's tensors begins with this.
const PREFIX: &str = "encoder.";
/// The name of the decoder's tensors begins with this.
const DECODER: &str = "decoder.";
/// What the average code is called.
const AVERAGE: &str = "latent_avg";

/// Builds the graphs of an encoder and its decoder, or returns `None` if the network is something else.
pub(crate) fn import(checkpoint: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE).within(PREFIX);
    let is_known = weights.has_any("body.") && weights.has_any("styles.");
    is_known.then(|| {
        let (codes, architecture) = codes(network);
        let size = backbone::size(weights)?;
        let (graph, shape) = graph(weights, size, codes)?;
        let latent_avg = average(checkpoint, network, shape)?;
        let decoder = decoder(network, latent_avg.as_ref())?;
        let encoder = Encoder {
            architecture: architecture.to_owned(),
            size,
            graph,
            latent_avg,
        };
        Ok(Imported::Encoder(Box::new(encoder), decoder.map(Box::new)))
    })
}

/// How the heads make codes, and the name of such an encoder. Only the options in the file tell: the tensors are alike.
fn codes(network: &Network) -> (Codes, &'static str) {
    match network.settings.get("encoder_type") {
        Some(Object::Text(kind)) if **kind == *"GradualStyleEncoder" => (Codes::OneHeadEach, "pSp"),
        Some(_) => (Codes::BaseAndOffsets, "e4e"),
        None => (
            Codes::BaseAndOffsets,
            "e4e (the file has no encoder_type; pSp has the same tensors)",
        ),
    }
}

/// `image` `[batch, 3, size, size]` → `w` `[batch, layers, w_dim]`, and the shape of one image's codes.
fn graph(weights: Weights<'_>, size: usize, codes: Codes) -> Result<(Model, [usize; 2]), ImportError> {
    let mut layers = ImageLayers::new("encoder", weights);
    let taps = backbone::build(&mut layers, weights, size)?;
    let (value, shape) = heads::build(&mut layers, weights, &taps, codes)?;
    let axes = [Length::batch(), Length::Fixed(shape[0]), Length::Fixed(shape[1])];
    layers.graph.output("w", &value, &axes);
    Ok((layers.finish(), shape))
}

/// The average code of each layer, if the file has it: beside the network, or in a flat file among its tensors.
fn average(
    checkpoint: &Checkpoint,
    network: &Network,
    shape: [usize; 2],
) -> Result<Option<Array2<f32>>, ImportError> {
    let stored = match checkpoint.root.get(AVERAGE) {
        Some(Object::Tensor(stored)) => stored,
        _ => match network.tensors.get(AVERAGE) {
            Some(stored) => stored,
            None => return Ok(None),
        },
    };
    let average = stored.read()?;
    let codes = match average.ndim() {
        // One code for all layers.
        1 => average
            .into_dimensionality::<Ix1>()
            .map(|code| code.insert_axis(Axis(0))),
        _ => average.into_dimensionality::<Ix2>(),
    };
    codes
        .ok()
        .and_then(|codes| Some(codes.broadcast(shape)?.to_owned()))
        .map(Some)
        .ok_or_else(|| {
            let expected = format!("{shape:?}");
            Weights::new(network, ARCHITECTURE).unexpected(AVERAGE, stored.shape().to_vec(), &expected)
        })
}

/// The generator that the encoder was trained for, if the file has it.
fn decoder(network: &Network, average: Option<&Array2<f32>>) -> Result<Option<Generator>, ImportError> {
    if !network.tensors.keys().any(|tensor| tensor.starts_with(DECODER)) {
        return Ok(None);
    }
    let w_avg: Option<Array1<f32>> = average.and_then(|codes| codes.mean_axis(Axis(0)));
    stylegan2::decoder(network, DECODER, w_avg).map(Some)
}
