//! InsightFace's iresnet (Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019): image → identity.

use ndarray::{Array1, Array2};

use crate::checkpoint::{Checkpoint, Network};
use crate::graph::operators::{add, matmul, reshape};
use crate::graph::{Axis, Model};
use crate::importing::image_layers::{Features, ImageLayers};
use crate::importing::{ImportError, Imported, Recognizer, Weights};

/// The name of the architecture in errors.
const ARCHITECTURE: &str = "iresnet";
/// Stages of blocks. The first block of each halves the size.
const STAGES: usize = 4;
/// Most blocks in a stage. The deepest published network has 60.
const MOST_BLOCKS: usize = 256;
/// Side of the image for each pixel of the last features.
const REDUCTION: usize = 1 << STAGES;

/// Builds the graph of an iresnet, or returns `None` if the network is something else.
pub(crate) fn import(_: &Checkpoint, network: &Network) -> Option<Result<Imported, ImportError>> {
    let weights = Weights::new(network, ARCHITECTURE);
    let known = ["layer1.0.prelu.weight", "features.running_mean"];
    let is_known = known.iter().any(|tensor| weights.has(tensor)) && weights.has("layer4.0.conv1.weight");
    is_known.then(|| Ok(Imported::Recognizer(Box::new(recognizer(weights)?))))
}

fn recognizer(weights: Weights<'_>) -> Result<Recognizer, ImportError> {
    let size = size(weights)?;
    let graph = graph(weights, size)?;
    let blocks = (1..=STAGES).map(|stage| blocks(weights, stage)).sum();
    Ok(Recognizer {
        architecture: format!("ArcFace iresnet{}", depth(blocks)),
        size,
        graph,
    })
}

/// `image` `[batch, 3, size, size]` → `embedding` `[batch, values]`.
fn graph(weights: Weights<'_>, size: usize) -> Result<Model, ImportError> {
    let mut layers = ImageLayers::new("iresnet", weights);
    let mut features = layers.image(size);
    features = layers.normalized_conv(&features, "conv1", 3, 1, "bn1")?;
    features = layers.prelu(&features, "prelu")?;
    for stage in 1..=STAGES {
        for index in 0..blocks(weights, stage).max(1) {
            let stride = if index == 0 { 2 } else { 1 };
            features = block(&mut layers, &features, &format!("layer{stage}.{index}"), stride)?;
        }
    }
    let values = weights.shape("fc.weight")?[0];
    let (weight, bias) = head(&layers, &features, size, values)?;
    let graph = &mut layers.graph;
    let (weight, bias) = (graph.constant(&weight), graph.constant(&bias));
    let flat = reshape(graph, &features.value, &[0, -1]);
    let product = matmul(graph, &flat, &weight);
    let embedding = add(graph, &product, &bias);
    graph.output("embedding", &embedding, &[Axis::batch(), Axis::Fixed(values)]);
    Ok(layers.finish())
}

/// Batch normalization, convolution, PReLU, convolution, and the path around them.
fn block(
    layers: &mut ImageLayers<'_>,
    input: &Features,
    name: &str,
    stride: i64,
) -> Result<Features, ImportError> {
    let mut residual = layers.norm(input, &format!("{name}.bn1"))?;
    residual = layers.normalized_conv(&residual, &format!("{name}.conv1"), 3, 1, &format!("{name}.bn2"))?;
    residual = layers.prelu(&residual, &format!("{name}.prelu"))?;
    let last = format!("{name}.conv2");
    residual = layers.normalized_conv(&residual, &last, 3, stride, &format!("{name}.bn3"))?;
    let shortcut = if stride == 1 {
        input.clone()
    } else {
        let (conv, norm) = (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
        layers.normalized_conv(input, &conv, 1, stride, &norm)?
    };
    layers.sum(&shortcut, &residual, &format!("{last}.weight"))
}

/// The dense layer from the last features to the embedding, `[inputs, values]` and `[values]`. The batch normalizations before
/// and after it are folded in.
fn head(
    layers: &ImageLayers<'_>,
    features: &Features,
    size: usize,
    values: usize,
) -> Result<(Array2<f32>, Array1<f32>), ImportError> {
    let pixels = (size / REDUCTION).pow(2);
    let before = layers.batch_norm("bn2", features.channels)?;
    let (weight, bias) = layers.dense("fc", [values, features.channels * pixels])?;
    let after = layers.batch_norm("features", bias.len())?;
    let each_pixel = |values: &Array1<f32>| -> Array1<f32> {
        values
            .iter()
            .flat_map(|&value| std::iter::repeat_n(value, pixels))
            .collect()
    };
    let bias = (bias + weight.dot(&each_pixel(&before.shift))) * &after.scale + &after.shift;
    let weight =
        weight.reversed_axes() * each_pixel(&before.scale).insert_axis(ndarray::Axis(1)) * &after.scale;
    Ok((weight, bias))
}

/// The side of the image, which only the dense layer shows.
fn size(weights: Weights<'_>) -> Result<usize, ImportError> {
    let tensor = "fc.weight";
    let found = weights.shape(tensor)?;
    let channels = weights.shape("bn2.weight")?.first().copied().unwrap_or_default();
    let pixels = found
        .get(1)
        .and_then(|inputs| inputs.checked_div(channels))
        .unwrap_or_default();
    let side = pixels.isqrt();
    if side == 0 || side * side != pixels || found.len() != 2 {
        let expected = "[values, channels · height · width], with the same height and width";
        return Err(weights.unexpected(tensor, found.to_vec(), expected));
    }
    Ok(REDUCTION * side)
}

/// The number of blocks in a stage.
fn blocks(weights: Weights<'_>, stage: usize) -> usize {
    (0..MOST_BLOCKS)
        .take_while(|index| weights.has_any(&format!("layer{stage}.{index}.")))
        .count()
}

/// The number in the name of an iresnet with so many blocks, which counts the layers. The deepest has a rounded one.
fn depth(blocks: usize) -> usize {
    match blocks {
        98 => 200,
        _ => 2 * blocks + 2,
    }
}
