//! The names of rosinality's program, from training or converted, and of the decoder of e4e and pSp.
//!
//! The bias of a style contains its 1, and kernels are stored as the paper uses them.

use ndarray::Array1;

use crate::checkpoint::{Checkpoint, Object};
use crate::importing::stylegan2::check::check_filter;
use crate::importing::stylegan2::generator::{
    Block, Dense, Layer, Mapping, Stylegan2, Synthesis, ToRgb, mapping_layers,
};
use crate::importing::{ImportError, Weights};

/// Reads the generator, or returns `None` if the network has other names.
pub(super) fn read(checkpoint: &Checkpoint, weights: Weights<'_>) -> Option<Result<Stylegan2, ImportError>> {
    let known = weights.has("style.1.weight") && weights.has("input.input");
    known.then(|| {
        // Only the converter of TensorFlow's files writes it.
        let w_avg = match checkpoint.root.get("latent_avg") {
            Some(Object::Tensor(average)) => Some(average.read()?.flatten().into_owned()),
            _ => None,
        };
        generator(weights, w_avg)
    })
}

/// Reads a generator. Training does not write `w_avg`.
pub(super) fn generator(weights: Weights<'_>, w_avg: Option<Array1<f32>>) -> Result<Stylegan2, ImportError> {
    check_filter(weights, "convs.0.conv.blur.kernel")?;
    let first = Block {
        up: None,
        plain: layer(weights, "conv1", 0)?,
        skip: None,
        to_rgb: Some(to_rgb(weights, "to_rgb1")?),
    };
    let others = (0..)
        .take_while(|index| weights.has_any(&format!("to_rgbs.{index}.")))
        .map(|index| {
            Ok(Block {
                up: Some(layer(weights, &format!("convs.{}", 2 * index), 2 * index + 1)?),
                plain: layer(weights, &format!("convs.{}", 2 * index + 1), 2 * index + 2)?,
                skip: None,
                to_rgb: Some(to_rgb(weights, &format!("to_rgbs.{index}"))?),
            })
        });
    let blocks = std::iter::once(Ok(first)).chain(others);
    Ok(Stylegan2 {
        synthesis: Synthesis {
            constant: weights.squeezed("input.input")?,
            blocks: blocks.collect::<Result<_, ImportError>>()?,
        },
        mapping: mapping(weights)?,
        w_avg,
        truncation: (1.0, None),
    })
}

fn mapping(weights: Weights<'_>) -> Result<Mapping, ImportError> {
    // The normalization of z is number 0.
    let layers = mapping_layers(weights, "style.", 1)?;
    Ok(Mapping { label: None, layers })
}

fn layer(weights: Weights<'_>, name: &str, noise: usize) -> Result<Layer, ImportError> {
    Ok(Layer::new(
        weights.squeezed(&format!("{name}.conv.weight"))?,
        style(weights, name)?,
        weights.squeezed(&format!("noises.noise_{noise}"))?,
        weights.scalar(&format!("{name}.noise.weight"))?,
        weights.array(&format!("{name}.activate.bias"))?,
    ))
}

fn to_rgb(weights: Weights<'_>, name: &str) -> Result<ToRgb, ImportError> {
    let kernel = weights.squeezed(&format!("{name}.conv.weight"))?;
    let bias = weights.any(&format!("{name}.bias"))?.flatten().into_owned();
    Ok(ToRgb::new(kernel, style(weights, name)?, bias))
}

fn style(weights: Weights<'_>, name: &str) -> Result<Dense, ImportError> {
    Ok(Dense::scaled(
        weights.array(&format!("{name}.conv.modulation.weight"))?,
        weights.array(&format!("{name}.conv.modulation.bias"))?,
    ))
}
