//! The names of a StyleGAN in GenForce's and SeFa's state dicts: `synthesis.layer2.weight`, ….
//!
//! Kernels are `[out, in, y, x]`, and matrices `[out, in]`. A layer that doubles adds up shifts of its kernel from 128×128 on.

use crate::checkpoint::Network;
use crate::importing::progressive::{check_grown, unfused};
use crate::importing::stylegan1::reading::{self, EpilogueNames, Names};
use crate::importing::stylegan1::weights::GeneratorWeights;
use crate::importing::{ImportError, Weights};

const NAMES: Names = Names {
    constant: "synthesis.layer0.const",
    w_avg: "truncation.w_avg",
    to_rgb: |blocks| ["weight", "bias"].map(|name| format!("synthesis.output{}.{name}", blocks - 1)),
    mapping: |layer| ["weight", "bias"].map(|name| format!("mapping.dense{layer}.{name}")),
    epilogue: |layer| EpilogueNames {
        noise: format!("synthesis.layer{layer}.apply_noise.noise"),
        noise_weight: format!("synthesis.layer{layer}.apply_noise.weight"),
        bias: format!("synthesis.layer{layer}.bias"),
        style: ["weight", "bias"].map(|name| format!("synthesis.layer{layer}.style.{name}")),
    },
    transposed: true,
};

/// Reads the weights, or returns `None` if the network has other names.
pub(super) fn read(_: &Network, weights: &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>> {
    // StyleGAN2 has no weight of the noise for each channel.
    let noise_weight = weights.shape("synthesis.layer1.apply_noise.weight");
    let is_named_so = weights.has(NAMES.constant) && noise_weight.is_ok_and(|shape| shape.len() == 1);
    is_named_so.then(|| read_all(weights))
}

fn read_all(weights: &Weights<'_>) -> Result<GeneratorWeights, ImportError> {
    check_grown(weights, "synthesis.lod")?;
    reading::read(weights, &NAMES, [0, 1, 2, 3], &|layer, [outputs, inputs]| {
        let name = format!("synthesis.layer{layer}.weight");
        let kernel = weights.shaped(&name, [outputs, inputs, 3, 3])?;
        let is_fused = layer.is_multiple_of(2) && 4 << (layer / 2) >= 128;
        Ok(if is_fused { unfused(kernel.view()) } else { kernel })
    })
}
