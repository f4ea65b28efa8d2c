//! The names of NVIDIA's TensorFlow program.
//!
//! Weights are stored with their inputs first. The bias of a style does not contain its 1, and the kernels of layers that
//! double the resolution are stored flipped.

use std::f32::consts::FRAC_1_SQRT_2;

use ndarray::{Array1, Array2, Array4, Axis};

use crate::importing::stylegan2::generator::{
    Block, Dense, LARGEST_LEVEL, Label, Layer, Mapping, Stylegan2, Synthesis, ToRgb, scaled_kernel,
};
use crate::importing::{ImportError, Weights};

/// Reads the generator, or returns `None` if the network has other names.
pub(super) fn read(weights: Weights<'_>) -> Option<Result<Stylegan2, ImportError>> {
    let known = weights.has("mapping/Dense0/weight") && weights.has("synthesis/4x4/Conv/mod_weight");
    known.then(|| generator(weights))
}

fn generator(weights: Weights<'_>) -> Result<Stylegan2, ImportError> {
    let first = Block {
        up: None,
        plain: layer(weights, "synthesis/4x4/Conv", 0)?,
        skip: None,
        to_rgb: to_rgb(weights, "synthesis/4x4/ToRGB")?,
    };
    let others = (3..=LARGEST_LEVEL)
        .map(|level| (level, format!("synthesis/{0}x{0}", 1 << level)))
        .take_while(|(_, name)| weights.has_any(&format!("{name}/")))
        .map(|(level, name)| block(weights, &name, 2 * level - 5));
    let blocks = std::iter::once(Ok(first)).chain(others);
    Ok(Stylegan2 {
        synthesis: Synthesis {
            constant: weights.squeezed("synthesis/4x4/Const/const")?,
            blocks: blocks.collect::<Result<_, _>>()?,
        },
        mapping: mapping(weights)?,
        w_avg: Some(weights.array("dlatent_avg")?),
        truncation: (0.5, None),
    })
}

fn mapping(weights: Weights<'_>) -> Result<Mapping, ImportError> {
    let label = if weights.has_any("mapping/LabelConcat/") {
        let weight: Array2<f32> = weights.array("mapping/LabelConcat/weight")?;
        let bias = Array1::zeros(weight.ncols());
        Some(Label {
            embedding: Dense {
                weight: weight.reversed_axes(),
                bias,
            },
            normalized_separately: false,
        })
    } else {
        None
    };
    let layers = (0..)
        .map(|index| format!("mapping/Dense{index}"))
        .take_while(|name| weights.has_any(&format!("{name}/")))
        .map(|name| {
            let weight: Array2<f32> = weights.array(&format!("{name}/weight"))?;
            let bias = weights.array(&format!("{name}/bias"))?;
            Ok(Dense::mapping(weight.reversed_axes(), bias))
        })
        .collect::<Result<_, ImportError>>()?;
    Ok(Mapping { label, layers })
}

fn block(weights: Weights<'_>, name: &str, noise: usize) -> Result<Block, ImportError> {
    let mut up = layer(weights, &format!("{name}/Conv0_up"), noise)?;
    up.kernel.invert_axis(Axis(2));
    up.kernel.invert_axis(Axis(3));
    let mut plain = layer(weights, &format!("{name}/Conv1"), noise + 1)?;
    let skip = if weights.has_any(&format!("{name}/Skip/")) {
        // The sum of both paths keeps the variance of each.
        plain.gain *= FRAC_1_SQRT_2;
        Some(scaled_kernel(kernel(weights, &format!("{name}/Skip/weight"))?) * FRAC_1_SQRT_2)
    } else {
        None
    };
    Ok(Block {
        up: Some(up),
        plain,
        skip,
        to_rgb: to_rgb(weights, &format!("{name}/ToRGB"))?,
    })
}

fn layer(weights: Weights<'_>, name: &str, noise: usize) -> Result<Layer, ImportError> {
    Ok(Layer::new(
        kernel(weights, &format!("{name}/weight"))?,
        style(weights, name)?,
        weights.squeezed(&format!("synthesis/noise{noise}"))?,
        weights.scalar(&format!("{name}/noise_strength"))?,
        weights.array(&format!("{name}/bias"))?,
    ))
}

fn to_rgb(weights: Weights<'_>, name: &str) -> Result<Option<ToRgb>, ImportError> {
    if !weights.has_any(&format!("{name}/")) {
        return Ok(None);
    }
    let kernel = kernel(weights, &format!("{name}/weight"))?;
    let bias = weights.array(&format!("{name}/bias"))?;
    Ok(Some(ToRgb::new(kernel, style(weights, name)?, bias)))
}

/// A kernel, stored as `[y, x, in, out]`.
fn kernel(weights: Weights<'_>, name: &str) -> Result<Array4<f32>, ImportError> {
    let kernel: Array4<f32> = weights.array(name)?;
    Ok(kernel.permuted_axes([3, 2, 0, 1]))
}

fn style(weights: Weights<'_>, name: &str) -> Result<Dense, ImportError> {
    let weight: Array2<f32> = weights.array(&format!("{name}/mod_weight"))?;
    let bias: Array1<f32> = weights.array(&format!("{name}/mod_bias"))?;
    Ok(Dense::scaled(weight.reversed_axes(), bias + 1.0))
}
