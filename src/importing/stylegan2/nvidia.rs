//! The names of NVIDIA's PyTorch programs: StyleGAN2-ADA, and StyleGAN2 in the repository of StyleGAN3.
//!
//! The bias of a style contains its 1, and kernels are stored as the paper uses them.

use std::f32::consts::FRAC_1_SQRT_2;

use crate::checkpoint::{Network, Object};
use crate::importing::stylegan2::check::check_filter;
use crate::importing::stylegan2::generator::{
    Block, Dense, LARGEST_LEVEL, Label, Layer, Mapping, Stylegan2, Synthesis, ToRgb, mapping_layers,
    scaled_kernel,
};
use crate::importing::{ImportError, Weights};

/// The class of StyleGAN2 in the repository of StyleGAN3. Its convolutions are clamped by default.
const IN_STYLEGAN3: &str = "training.networks_stylegan2.Generator";
/// The clamp of that class, if its settings do not say another.
const CLAMP_IN_STYLEGAN3: f32 = 256.0;

/// Reads the generator, or returns `None` if the network has other names.
pub(super) fn read(network: &Network, weights: Weights<'_>) -> Option<Result<Stylegan2, ImportError>> {
    let known = weights.has("mapping.fc0.weight") && weights.has("synthesis.b4.const");
    known.then(|| generator(network, weights))
}

fn generator(network: &Network, weights: Weights<'_>) -> Result<Stylegan2, ImportError> {
    check_filter(weights, "synthesis.b4.resample_filter")?;
    let clamp = clamp(network);
    let first = block(weights, "synthesis.b4", None, clamp);
    let others = (3..=LARGEST_LEVEL)
        .map(|level| format!("synthesis.b{}", 1 << level))
        .take_while(|name| weights.has_any(&format!("{name}.")))
        .map(|name| {
            let up = layer(weights, &format!("{name}.conv0"), clamp)?;
            block(weights, &name, Some(up), clamp)
        });
    let blocks = std::iter::once(first).chain(others);
    Ok(Stylegan2 {
        mapping: mapping(weights)?,
        synthesis: Synthesis {
            constant: weights.squeezed("synthesis.b4.const")?,
            blocks: blocks.collect::<Result<_, _>>()?,
        },
        w_avg: Some(weights.array("mapping.w_avg")?),
        truncation: (1.0, None),
    })
}

/// The limit of the magnitudes in a network that was trained with half precision.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the limit is a small number"
)]
fn clamp(network: &Network) -> Option<f32> {
    let settings = &network.settings;
    let of_synthesis = settings.get("synthesis_kwargs").unwrap_or(settings);
    match of_synthesis.get("conv_clamp") {
        Some(Object::Float(limit)) => Some(*limit as f32),
        Some(Object::Integer(limit)) => Some(*limit as f32),
        Some(_) => None,
        None => (network.class.as_deref() == Some(IN_STYLEGAN3)).then_some(CLAMP_IN_STYLEGAN3),
    }
}

/// Reads the mapping network.
pub(super) fn mapping(weights: Weights<'_>) -> Result<Mapping, ImportError> {
    let label = if weights.has_any("mapping.embed.") {
        Some(Label {
            embedding: Dense::scaled(
                weights.array("mapping.embed.weight")?,
                weights.array("mapping.embed.bias")?,
            ),
            normalized_separately: true,
        })
    } else {
        None
    };
    let layers = mapping_layers(weights, "mapping.fc", 0)?;
    Ok(Mapping { label, layers })
}

fn block(
    weights: Weights<'_>,
    name: &str,
    up: Option<Layer>,
    clamp: Option<f32>,
) -> Result<Block, ImportError> {
    let mut plain = layer(weights, &format!("{name}.conv1"), clamp)?;
    let skip = if weights.has_any(&format!("{name}.skip.")) {
        // The sum of both paths keeps the variance of each.
        plain.gain *= FRAC_1_SQRT_2;
        plain.clamp = clamp.map(|limit| limit * FRAC_1_SQRT_2);
        Some(scaled_kernel(weights.array(&format!("{name}.skip.weight"))?) * FRAC_1_SQRT_2)
    } else {
        None
    };
    let to_rgb = if weights.has_any(&format!("{name}.torgb.")) {
        Some(to_rgb(weights, &format!("{name}.torgb"), clamp)?)
    } else {
        None
    };
    Ok(Block {
        up,
        plain,
        skip,
        to_rgb,
    })
}

fn layer(weights: Weights<'_>, name: &str, clamp: Option<f32>) -> Result<Layer, ImportError> {
    let layer = Layer::new(
        weights.array(&format!("{name}.weight"))?,
        style(weights, name)?,
        weights.array(&format!("{name}.noise_const"))?,
        weights.scalar(&format!("{name}.noise_strength"))?,
        weights.array(&format!("{name}.bias"))?,
    );
    Ok(Layer { clamp, ..layer })
}

fn to_rgb(weights: Weights<'_>, name: &str, clamp: Option<f32>) -> Result<ToRgb, ImportError> {
    let kernel = weights.array(&format!("{name}.weight"))?;
    let bias = weights.array(&format!("{name}.bias"))?;
    Ok(ToRgb {
        clamp,
        ..ToRgb::new(kernel, style(weights, name)?, bias)
    })
}

fn style(weights: Weights<'_>, name: &str) -> Result<Dense, ImportError> {
    Ok(Dense::scaled(
        weights.array(&format!("{name}.affine.weight"))?,
        weights.array(&format!("{name}.affine.bias"))?,
    ))
}
