//! The names of GenForce and SeFa, for the skip architecture.
//!
//! The bias of a style does not contain its 1. The kernels of layers that double the resolution are stored flipped.

use ndarray::{Array1, Axis};

use crate::importing::stylegan2::check::check_filter;
use crate::importing::stylegan2::generator::{
    Block, Dense, Layer, Mapping, Stylegan2, Synthesis, ToRgb, mapping_layers,
};
use crate::importing::{ImportError, Weights};

/// Reads the generator, or returns `None` if the network has other names.
pub(super) fn read(weights: Weights<'_>) -> Option<Result<Stylegan2, ImportError>> {
    let known = weights.has("mapping.dense0.weight") && weights.has("synthesis.early_layer.const");
    known.then(|| generator(weights))
}

fn generator(weights: Weights<'_>) -> Result<Stylegan2, ImportError> {
    check_filter(weights, "synthesis.layer1.filter.kernel")?;
    let blocks = (0..)
        .take_while(|&index| index == 0 || weights.has_any(&format!("synthesis.output{index}.")))
        .map(|index| block(weights, index))
        .collect::<Result<_, _>>()?;
    let layers = mapping_layers(weights, "mapping.dense", 0)?;
    Ok(Stylegan2 {
        mapping: Mapping { label: None, layers },
        synthesis: Synthesis {
            constant: weights.squeezed("synthesis.early_layer.const")?,
            blocks,
        },
        w_avg: Some(weights.array("truncation.w_avg")?),
        truncation: (0.7, Some(8)),
    })
}

fn block(weights: Weights<'_>, index: usize) -> Result<Block, ImportError> {
    let up = if index > 0 {
        let mut up = layer(weights, 2 * index - 1)?;
        up.kernel.invert_axis(Axis(2));
        up.kernel.invert_axis(Axis(3));
        Some(up)
    } else {
        None
    };
    let output = format!("synthesis.output{index}");
    Ok(Block {
        up,
        plain: layer(weights, 2 * index)?,
        skip: None,
        to_rgb: Some(ToRgb::new(
            weights.array(&format!("{output}.weight"))?,
            style(weights, &output)?,
            weights.array(&format!("{output}.bias"))?,
        )),
    })
}

fn layer(weights: Weights<'_>, index: usize) -> Result<Layer, ImportError> {
    let name = format!("synthesis.layer{index}");
    Ok(Layer::new(
        weights.array(&format!("{name}.weight"))?,
        style(weights, &name)?,
        weights.squeezed(&format!("{name}.noise"))?,
        weights.scalar(&format!("{name}.noise_strength"))?,
        weights.array(&format!("{name}.bias"))?,
    ))
}

fn style(weights: Weights<'_>, name: &str) -> Result<Dense, ImportError> {
    let bias: Array1<f32> = weights.array(&format!("{name}.style.bias"))?;
    Ok(Dense::scaled(
        weights.array(&format!("{name}.style.weight"))?,
        bias + 1.0,
    ))
}
