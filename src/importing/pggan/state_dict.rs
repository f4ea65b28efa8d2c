//! The names of a PGGAN in state dicts: `layer0.weight`, … (GenForce, SeFa), and `layer0.conv.weight`, … (InterFaceGAN).
//!
//! Kernels are `[out, in, y, x]`. Layer 0 is a 4×4 convolution of z as an image of one pixel with padding 3, so its kernel is
//! the matrix of a dense layer with both image axes reversed. Layers that add up shifts of their kernel keep it as
//! `[in, out, y, x]` under the same name (GenForce), or as `layer2.weight` `[y, x, in, out]` (InterFaceGAN).

use ndarray::{Array1, Array4, Ix1};

use crate::importing::pggan::weights::{Convolution, GeneratorWeights};
use crate::importing::progressive::{LARGEST_BLOCKS, check_grown, permuted, reversed, unfused};
use crate::importing::{ImportError, Weights};

/// What the names of a layer end with.
struct Names {
    kernel: &'static str,
    bias: &'static str,
    /// The kernel of a layer that adds up its shifts, and its axes in the order `[out, in, y, x]`.
    fused: (&'static str, [usize; 4]),
}

const GENFORCE: Names = Names {
    kernel: "weight",
    bias: "bias",
    fused: ("weight", [1, 0, 2, 3]),
};

const INTERFACEGAN: Names = Names {
    kernel: "conv.weight",
    bias: "wscale.bias",
    fused: ("weight", [3, 2, 0, 1]),
};

/// Reads the weights under GenForce's names, or returns `None` if the network has others.
pub(super) fn read_genforce(weights: &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>> {
    read(weights, &GENFORCE)
}

/// Reads the weights under InterFaceGAN's names, or returns `None` if the network has others.
pub(super) fn read_interfacegan(weights: &Weights<'_>) -> Option<Result<GeneratorWeights, ImportError>> {
    read(weights, &INTERFACEGAN)
}

fn read(weights: &Weights<'_>, names: &Names) -> Option<Result<GeneratorWeights, ImportError>> {
    let first = format!("layer0.{}", names.kernel);
    let is_named_so = weights.shape(&first).is_ok_and(|shape| shape.len() == 4)
        && weights.has(&format!("output0.{}", names.kernel));
    is_named_so.then(|| read_all(weights, names))
}

fn read_all(weights: &Weights<'_>, names: &Names) -> Result<GeneratorWeights, ImportError> {
    check_grown(weights, "lod")?;
    let dense_bias = weights.array::<Ix1>(&format!("layer0.{}", names.bias))?;
    let mut channels = dense_bias.len();
    let first = format!("layer0.{}", names.kernel);
    let z_dim = weights.shape(&first)?[1];
    let first: Array4<f32> = weights.shaped(&first, (channels, z_dim, 4, 4))?;
    let dense = reversed(first.view())
        .permuted_axes([1, 0, 2, 3])
        .to_shape((z_dim, 16 * channels))
        .expect("the same number of elements")
        .into_owned();

    let mut convolutions = Vec::new();
    for layer in 1..2 * LARGEST_BLOCKS {
        let Some(bias) = layer_bias(weights, names, layer)? else {
            break;
        };
        let kernel = kernel(weights, names, layer, [bias.len(), channels])?;
        channels = bias.len();
        convolutions.push(Convolution { kernel, bias });
    }
    let output = convolutions.len() / 2;
    if convolutions.len().is_multiple_of(2) {
        let missing = format!("layer{}.{}", convolutions.len() + 1, names.bias);
        return Err(weights.missing(&missing));
    }
    let to_rgb = Convolution {
        kernel: weights.shaped(&format!("output{output}.{}", names.kernel), (3, channels, 1, 1))?,
        bias: weights.shaped(&format!("output{output}.{}", names.bias), 3)?,
    };
    Ok(GeneratorWeights {
        dense,
        dense_bias,
        convolutions,
        to_rgb,
    })
}

/// The bias of a layer, or `None` if there are fewer layers.
fn layer_bias(
    weights: &Weights<'_>,
    names: &Names,
    layer: usize,
) -> Result<Option<Array1<f32>>, ImportError> {
    let name = format!("layer{layer}.{}", names.bias);
    weights
        .has_any(&format!("layer{layer}."))
        .then(|| weights.array::<Ix1>(&name))
        .transpose()
}

/// The kernel `[out, in, y, x]` of a layer.
///
/// GenForce's name does not say whether the layer adds up its shifts; the order of the channels does. It is the same for both
/// only if all layers have equally many channels, which no published generator has.
fn kernel(
    weights: &Weights<'_>,
    names: &Names,
    layer: usize,
    [outputs, inputs]: [usize; 2],
) -> Result<Array4<f32>, ImportError> {
    let name = format!("layer{layer}.{}", names.kernel);
    let expected = [outputs, inputs, 3, 3];
    let doubles = layer > 1 && layer.is_multiple_of(2);
    let (fused, axes) = (format!("layer{layer}.{}", names.fused.0), names.fused.1);
    if doubles && weights.has(&fused) && weights.shape(&name).ok() != Some(&expected) {
        let kernel = permuted(weights, &fused, axes, expected)?;
        return Ok(unfused(kernel.view()));
    }
    weights.shaped(&name, expected)
}
