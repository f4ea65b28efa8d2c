//! The names of a PGGAN in NVIDIA's TensorFlow pickles: `4x4/Dense/weight`, `8x8/Conv0/weight`, ….
//!
//! Kernels are `[y, x, in, out]`. The first layer of a block is called `Conv0`, or `Conv0_up` if it adds up shifts of its
//! kernel; that kernel is `[y, x, out, in]`.

use ndarray::Ix1;

use crate::importing::pggan::weights::{Convolution, GeneratorWeights};
use crate::importing::progressive::{LARGEST_BLOCKS, check_grown, permuted, unfused};
use crate::importing::{ImportError, Weights};

/// Reads the weights, or returns `None` if the network has other names.
pub(super) fn read(weights: &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>> {
    let is_named_so = weights.has("4x4/Dense/weight") && weights.has("ToRGB_lod0/weight");
    is_named_so.then(|| read_all(weights))
}

fn read_all(weights: &Weights<'_>) -> Result<GeneratorWeights, ImportError> {
    check_grown(weights, "lod")?;
    let dense_bias = weights.array::<Ix1>("4x4/Dense/bias")?;
    let mut channels = dense_bias.len();
    let z_dim = weights.shape("4x4/Dense/weight")?.first().copied().unwrap_or(0);
    let dense = weights.shaped("4x4/Dense/weight", (z_dim, 16 * channels))?;

    let mut convolutions = vec![convolution(weights, "4x4/Conv", channels)?];
    channels = convolutions[0].bias.len();
    for block in (1..LARGEST_BLOCKS).map(|block| format!("{0}x{0}", 4 << block)) {
        let up = if weights.has_any(&format!("{block}/Conv0_up/")) {
            fused(weights, &format!("{block}/Conv0_up"), channels)?
        } else if weights.has_any(&format!("{block}/")) {
            convolution(weights, &format!("{block}/Conv0"), channels)?
        } else {
            break;
        };
        let second = convolution(weights, &format!("{block}/Conv1"), up.bias.len())?;
        channels = second.bias.len();
        convolutions.extend([up, second]);
    }
    let to_rgb = Convolution {
        kernel: permuted(weights, "ToRGB_lod0/weight", [3, 2, 0, 1], [3, channels, 1, 1])?,
        bias: weights.shaped("ToRGB_lod0/bias", 3)?,
    };
    Ok(GeneratorWeights {
        dense,
        dense_bias,
        convolutions,
        to_rgb,
    })
}

fn convolution(weights: &Weights<'_>, layer: &str, inputs: usize) -> Result<Convolution, ImportError> {
    let bias = weights.array::<Ix1>(&format!("{layer}/bias"))?;
    let kernel = format!("{layer}/weight");
    let kernel = permuted(weights, &kernel, [3, 2, 0, 1], [bias.len(), inputs, 3, 3])?;
    Ok(Convolution { kernel, bias })
}

fn fused(weights: &Weights<'_>, layer: &str, inputs: usize) -> Result<Convolution, ImportError> {
    let bias = weights.array::<Ix1>(&format!("{layer}/bias"))?;
    let kernel = format!("{layer}/weight");
    let kernel = permuted(weights, &kernel, [2, 3, 0, 1], [bias.len(), inputs, 3, 3])?;
    Ok(Convolution {
        kernel: unfused(kernel.view()),
        bias,
    })
}
