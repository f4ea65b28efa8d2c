//! What the readers of StyleGAN's names share: the order of the layers, and the shapes.

use ndarray::{Array3, Array4, Axis, Ix1};

use crate::importing::progressive::{LARGEST_BLOCKS, permuted};
use crate::importing::stylegan1::weights::{Dense, Epilogue, GeneratorWeights, Layer};
use crate::importing::{ImportError, Weights};

/// How the tensors of a checkpoint are called.
pub(super) struct Names {
    /// The features that layer 0 begins with.
    pub constant: &'static str,
    /// The average w code.
    pub w_avg: &'static str,
    /// The 1×1 convolution to red, green and blue of the last of these blocks, and its bias.
    pub to_rgb: fn(blocks: usize) -> [String; 2],
    /// The matrix and the bias of a dense layer of the mapping.
    pub mapping: fn(layer: usize) -> [String; 2],
    /// What follows the convolution of a layer.
    pub epilogue: fn(layer: usize) -> EpilogueNames,
    /// Whether the matrices of dense layers are `[out, in]`.
    pub transposed: bool,
}

/// How the tensors of an epilogue are called.
pub(super) struct EpilogueNames {
    pub noise: String,
    pub noise_weight: String,
    pub bias: String,
    /// The matrix and the bias.
    pub style: [String; 2],
}

/// Reads the kernel `[out, in, y, x]` of a layer with these numbers of outputs and inputs, for a plain correlation.
pub(super) type ReadKernel<'a> = &'a dyn Fn(usize, [usize; 2]) -> Result<Array4<f32>, ImportError>;

/// Reads a generator. `to_rgb_axes` brings the kernel of its last convolution into the order `[out, in, y, x]`.
pub(super) fn read(
    weights: &Weights<'_>,
    names: &Names,
    to_rgb_axes: [usize; 4],
    read_kernel: ReadKernel<'_>,
) -> Result<GeneratorWeights, ImportError> {
    let mapping = read_mapping(weights, names)?;
    let w_dim = mapping.last().map_or(0, |last| last.bias.len());
    let constant: Array4<f32> = weights.array(names.constant)?;
    let mut channels = constant.len_of(Axis(1));
    if constant.shape() != [1, channels, 4, 4] {
        return Err(weights.unexpected(names.constant, constant.shape().to_vec(), "[1, channels, 4, 4]"));
    }
    let constant: Array3<f32> = constant.remove_axis(Axis(0));

    let first = epilogue(weights, names, 0, w_dim)?;
    if first.bias.len() != channels {
        let bias = (names.epilogue)(0).bias;
        return Err(weights.unexpected(&bias, first.bias.shape().to_vec(), &format!("[{channels}]")));
    }
    let mut layers = Vec::new();
    for index in 1..2 * LARGEST_BLOCKS {
        // A block has two layers.
        let is_needed = index % 2 == 1;
        if !is_needed && !weights.has_any(module(&(names.epilogue)(index).bias)) {
            break;
        }
        let epilogue = epilogue(weights, names, index, w_dim)?;
        let kernel = read_kernel(index, [epilogue.bias.len(), channels])?;
        channels = epilogue.bias.len();
        layers.push(Layer { kernel, epilogue });
    }
    let [kernel, bias] = (names.to_rgb)(layers.len().div_ceil(2));
    let expected = [3, channels, 1, 1];
    let to_rgb = permuted(weights, &kernel, to_rgb_axes, expected)?;
    Ok(GeneratorWeights {
        mapping,
        w_avg: weights
            .has(names.w_avg)
            .then(|| weights.shaped(names.w_avg, w_dim))
            .transpose()?,
        constant,
        first,
        layers,
        to_rgb: (to_rgb, weights.shaped(&bias, 3)?),
    })
}

fn read_mapping(weights: &Weights<'_>, names: &Names) -> Result<Vec<Dense>, ImportError> {
    let mut layers = Vec::<Dense>::new();
    loop {
        let [matrix, bias] = (names.mapping)(layers.len());
        if !layers.is_empty() && !weights.has_any(module(&matrix)) {
            return Ok(layers);
        }
        let axis = usize::from(names.transposed);
        let inputs = match layers.last() {
            Some(last) => last.bias.len(),
            None => weights.shape(&matrix)?.get(axis).copied().unwrap_or(0),
        };
        let outputs = weights.array::<Ix1>(&bias)?.len();
        layers.push(dense(weights, names, &[matrix, bias], [inputs, outputs])?);
    }
}

/// The name of a tensor up to its last separator, which the names of its module's tensors begin with.
fn module(tensor: &str) -> &str {
    let end = tensor.rfind(['.', '/']).map_or(0, |separator| separator + 1);
    &tensor[..end]
}

fn dense(
    weights: &Weights<'_>,
    names: &Names,
    [matrix, bias]: &[String; 2],
    [inputs, outputs]: [usize; 2],
) -> Result<Dense, ImportError> {
    let matrix = if names.transposed {
        let matrix = weights.shaped(matrix, (outputs, inputs))?;
        matrix.t().as_standard_layout().into_owned()
    } else {
        weights.shaped(matrix, (inputs, outputs))?
    };
    let bias = weights.shaped(bias, outputs)?;
    Ok(Dense { matrix, bias })
}

fn epilogue(
    weights: &Weights<'_>,
    names: &Names,
    layer: usize,
    w_dim: usize,
) -> Result<Epilogue, ImportError> {
    let tensors = (names.epilogue)(layer);
    let bias = weights.array::<Ix1>(&tensors.bias)?;
    let channels = bias.len();
    let height = 4 << (layer / 2);
    let noise: Array4<f32> = weights.shaped(&tensors.noise, (1, 1, height, height))?;
    Ok(Epilogue {
        noise: noise.remove_axis(Axis(0)).remove_axis(Axis(0)),
        noise_weight: weights.shaped(&tensors.noise_weight, channels)?,
        bias,
        style: dense(weights, names, &tensors.style, [w_dim, 2 * channels])?,
    })
}
