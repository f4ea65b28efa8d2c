//! The names of a StyleGAN in InterFaceGAN's state dicts: `synthesis.layer2.conv.weight`, ….
//!
//! Kernels are `[out, in, y, x]`, and matrices `[out, in]`. A layer that doubles by adding up shifts of its kernel keeps it under
//! another name, as `[y, x, in, out]`.

use crate::checkpoint::Network;
use crate::importing::progressive::{check_grown, permuted, unfused};
use crate::importing::stylegan1::reading::{self, EpilogueNames, Names};
use crate::importing::stylegan1::weights::GeneratorWeights;
use crate::importing::{ImportError, Weights};

const NAMES: Names = Names {
    constant: "synthesis.layer0.first_layer",
    w_avg: "truncation.w_avg",
    to_rgb: |blocks| ["conv.weight", "bias"].map(|name| format!("synthesis.output{}.{name}", blocks - 1)),
    mapping: |layer| ["linear.weight", "wscale.bias"].map(|name| format!("mapping.dense{layer}.{name}")),
    epilogue: |layer| {
        let prefix = format!("synthesis.layer{layer}.epilogue");
        EpilogueNames {
            noise: format!("{prefix}.apply_noise.noise"),
            noise_weight: format!("{prefix}.apply_noise.weight"),
            bias: format!("{prefix}.bias"),
            style: ["linear.weight", "wscale.bias"].map(|name| format!("{prefix}.style_mod.dense.{name}")),
        }
    },
    transposed: true,
};

/// Reads the weights, or returns `None` if the network has other names.
pub(super) fn read(_: &Network, weights: &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>> {
    weights.has(NAMES.constant).then(|| read_all(weights))
}

fn read_all(weights: &Weights<'_>) -> Result<GeneratorWeights, ImportError> {
    check_grown(weights, "synthesis.lod")?;
    reading::read(weights, &NAMES, [0, 1, 2, 3], &|layer, [outputs, inputs]| {
        let expected = [outputs, inputs, 3, 3];
        let fused = format!("synthesis.layer{layer}.weight");
        if weights.has(&fused) {
            let kernel = permuted(weights, &fused, [3, 2, 0, 1], expected)?;
            return Ok(unfused(kernel.view()));
        }
        weights.shaped(&format!("synthesis.layer{layer}.conv.weight"), expected)
    })
}
