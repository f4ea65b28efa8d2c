//! The names of a StyleGAN in NVIDIA's TensorFlow pickles: `synthesis/8x8/Conv0_up/weight`, ….
//!
//! Kernels are `[y, x, in, out]`, and matrices `[in, out]`. Whether a layer that doubles adds up shifts of its kernel is a
//! setting, `fused_scale`; by default it does from 128×128 on.

use crate::checkpoint::{Network, Object};
use crate::importing::progressive::{check_grown, permuted, unfused};
use crate::importing::stylegan1::reading::{self, EpilogueNames, Names};
use crate::importing::stylegan1::weights::GeneratorWeights;
use crate::importing::{ImportError, Weights};

const NAMES: Names = Names {
    constant: "synthesis/4x4/Const/const",
    w_avg: "dlatent_avg",
    to_rgb: |_| ["weight", "bias"].map(|name| format!("synthesis/ToRGB_lod0/{name}")),
    mapping: |layer| ["weight", "bias"].map(|name| format!("mapping/Dense{layer}/{name}")),
    epilogue: |layer| EpilogueNames {
        noise: format!("synthesis/noise{layer}"),
        noise_weight: format!("{}/Noise/weight", layer_name(layer)),
        bias: format!("{}/bias", layer_name(layer)),
        style: ["weight", "bias"].map(|name| format!("{}/StyleMod/{name}", layer_name(layer))),
    },
    transposed: false,
};

/// Reads the weights, or returns `None` if the network has other names.
pub(super) fn read(
    network: &Network,
    weights: &Weights<'_>,
) -> Option<Result<GeneratorWeights, ImportError>> {
    let is_named_so = weights.has(NAMES.constant) && weights.has("synthesis/4x4/Const/StyleMod/weight");
    is_named_so.then(|| read_all(network, weights))
}

fn read_all(network: &Network, weights: &Weights<'_>) -> Result<GeneratorWeights, ImportError> {
    check_grown(weights, "lod")?;
    check_grown(weights, "synthesis/lod")?;
    if weights.has("mapping/LabelConcat/weight") {
        return Err(weights.wrong_setting("a generator", "with classes".to_owned(), "one without"));
    }
    let fused_scale = network.settings.get("fused_scale");
    let is_fused = |layer: usize| match fused_scale {
        Some(Object::Bool(is_fused)) => *is_fused,
        _ => 4 << (layer / 2) >= 128,
    };
    reading::read(weights, &NAMES, [3, 2, 0, 1], &|layer, [outputs, inputs]| {
        let name = format!("{}/weight", layer_name(layer));
        let kernel = permuted(weights, &name, [3, 2, 0, 1], [outputs, inputs, 3, 3])?;
        let doubles = layer.is_multiple_of(2);
        Ok(if doubles && is_fused(layer) {
            unfused(kernel.view())
        } else {
            kernel
        })
    })
}

fn layer_name(layer: usize) -> String {
    match layer {
        0 => "synthesis/4x4/Const".to_owned(),
        1 => "synthesis/4x4/Conv".to_owned(),
        _ => {
            let height = 4 << (layer / 2);
            let name = if layer.is_multiple_of(2) {
                "Conv0_up"
            } else {
                "Conv1"
            };
            format!("synthesis/{height}x{height}/{name}")
        }
    }
}
