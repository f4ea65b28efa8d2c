//! Checks that the sizes of a generator's weights fit together.

use ndarray::Array2;

use crate::importing::stylegan2::generator::{
    ARCHITECTURE, Block, Dense, FILTER, Layer, Mapping, Stylegan2, ToRgb,
};
use crate::importing::{ImportError, Weights};

/// The rounding of a filter that was stored in half precision, in parts of its sum.
const FILTER_ERROR: f32 = 1e-3;

/// Refuses a generator with weights that do not fit together. An error names the layer by its place in the network.
pub(super) fn check(generator: &Stylegan2, network: &str) -> Result<(), ImportError> {
    let check = Check {
        network,
        w_dim: generator.mapping.w_dim(),
    };
    check.mapping(&generator.mapping)?;
    if let Some(w_avg) = &generator.w_avg {
        check.equal("the average w code", w_avg.shape(), &[check.w_dim])?;
    }
    let constant = &generator.synthesis.constant;
    let (mut channels, mut height, mut width) = constant.dim();
    check.equal("the input of the synthesis", &[height], &[width])?;
    let mut colours = None;
    for (index, block) in generator.synthesis.blocks.iter().enumerate() {
        if index > 0 {
            (height, width) = (2 * height, 2 * width);
        }
        channels = check.block(block, channels, [height, width])?;
        if let Some(to_rgb) = &block.to_rgb {
            let found = [to_rgb.bias.len()];
            check.equal("the colours of the image", &found, colours.get_or_insert(found))?;
        }
    }
    match generator.synthesis.blocks.last() {
        Some(Block { to_rgb: Some(_), .. }) => Ok(()),
        _ => Err(ImportError::MissingTensor {
            network: network.to_owned(),
            tensor: "the last block's conversion to RGB".to_owned(),
            architecture: ARCHITECTURE,
        }),
    }
}

/// Refuses a stored filter of the upsampling that is not the paper's. Files without it use the paper's.
pub(super) fn check_filter(weights: Weights<'_>, tensor: &str) -> Result<(), ImportError> {
    if !weights.has(tensor) {
        return Ok(());
    }
    let filter: Array2<f32> = weights.squeezed(tensor)?;
    let sum = filter.sum();
    let fits = |((y, x), &value): ((usize, usize), &f32)| {
        (value / sum - FILTER[y] * FILTER[x] / 4.0).abs() < FILTER_ERROR
    };
    if filter.dim() == (4, 4) && filter.indexed_iter().all(fits) {
        return Ok(());
    }
    Err(weights.wrong_setting(
        "the upsampling filter",
        filter.to_string(),
        "a multiple of the outer product of [1, 3, 3, 1] with itself",
    ))
}

/// Refuses a mapping network with weights that do not fit together.
pub(super) fn check_mapping(mapping: &Mapping, network: &str) -> Result<(), ImportError> {
    let check = Check {
        network,
        w_dim: mapping.w_dim(),
    };
    check.mapping(mapping)
}

struct Check<'a> {
    network: &'a str,
    w_dim: usize,
}

impl Check<'_> {
    fn mapping(&self, mapping: &Mapping) -> Result<(), ImportError> {
        let embedded = mapping
            .label
            .as_ref()
            .map_or(0, |label| label.embedding.bias.len());
        let mut inputs = mapping.z_dim() + embedded;
        for (index, layer) in mapping.layers.iter().enumerate() {
            self.dense(
                &format!("layer {index} of the mapping"),
                layer,
                inputs,
                layer.bias.len(),
            )?;
            inputs = layer.bias.len();
        }
        if let Some(label) = &mapping.label {
            let embedding = &label.embedding;
            self.dense("the embedding of labels", embedding, mapping.classes(), embedded)?;
        }
        Ok(())
    }

    /// Checks a block with an input of `channels`. Returns the channels of its output.
    fn block(&self, block: &Block, channels: usize, size: [usize; 2]) -> Result<usize, ImportError> {
        let place = format!("the block of {}×{}", size[0], size[1]);
        let mut inner = channels;
        if let Some(up) = &block.up {
            inner = self.layer(&format!("{place}, layer 0"), up, channels, size)?;
        }
        let outputs = self.layer(&format!("{place}, layer 1"), &block.plain, inner, size)?;
        if let Some(skip) = &block.skip {
            self.equal(
                &format!("{place}, skip"),
                skip.shape(),
                &[outputs, channels, 1, 1],
            )?;
        }
        if let Some(to_rgb) = &block.to_rgb {
            self.to_rgb(&format!("{place}, RGB"), to_rgb, outputs)?;
        }
        Ok(outputs)
    }

    fn layer(
        &self,
        place: &str,
        layer: &Layer,
        channels: usize,
        size: [usize; 2],
    ) -> Result<usize, ImportError> {
        let outputs = layer.bias.len();
        self.equal(place, layer.kernel.shape(), &[outputs, channels, 3, 3])?;
        self.dense(&format!("{place}, style"), &layer.style, self.w_dim, channels)?;
        self.equal(&format!("{place}, noise"), layer.noise.shape(), &size)?;
        Ok(outputs)
    }

    fn to_rgb(&self, place: &str, layer: &ToRgb, channels: usize) -> Result<(), ImportError> {
        self.equal(place, layer.kernel.shape(), &[layer.bias.len(), channels])?;
        self.dense(&format!("{place}, style"), &layer.style, self.w_dim, channels)
    }

    fn dense(&self, place: &str, layer: &Dense, inputs: usize, outputs: usize) -> Result<(), ImportError> {
        self.equal(place, layer.weight.shape(), &[outputs, inputs])?;
        self.equal(place, layer.bias.shape(), &[outputs])
    }

    fn equal(&self, place: &str, found: &[usize], expected: &[usize]) -> Result<(), ImportError> {
        if found == expected {
            return Ok(());
        }
        Err(ImportError::Shape {
            network: self.network.to_owned(),
            tensor: place.to_owned(),
            found: found.to_vec(),
            expected: format!("{expected:?}"),
        })
    }
}
