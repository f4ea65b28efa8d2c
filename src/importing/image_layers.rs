//! Layers of networks that read images: convolutions with batch normalization, PReLU.

use ndarray::{Array1, Array2, Array4, Ix4};

use crate::graph::operators::{Convolution, add, batch_normalization, conv, prelu};
use crate::graph::{Axis, GraphBuilder, Model, Value};
use crate::importing::{ImportError, Weights};

/// What PyTorch's batch normalization adds to variances.
const EPSILON: f32 = 1e-5;

/// Channels of an image.
const COLOURS: usize = 3;

/// A graph under construction, and the weights that it takes.
#[derive(Debug)]
pub(super) struct ImageLayers<'a> {
    /// The graph.
    pub(super) graph: GraphBuilder,
    weights: Weights<'a>,
}

/// A value `[batch, channels, height, width]`.
#[derive(Clone, Debug)]
pub(super) struct Features {
    /// The value.
    pub(super) value: Value,
    /// The number of channels.
    pub(super) channels: usize,
}

/// Batch normalization with the statistics of training: scale · x + shift for each channel.
#[derive(Debug)]
pub(super) struct BatchNorm {
    /// The factors.
    pub(super) scale: Array1<f32>,
    /// The offsets.
    pub(super) shift: Array1<f32>,
}

impl<'a> ImageLayers<'a> {
    /// An empty graph.
    pub(super) fn new(name: &str, weights: Weights<'a>) -> Self {
        Self {
            graph: GraphBuilder::new(name),
            weights,
        }
    }

    /// The input `image`, `[batch, 3, size, size]`.
    pub(super) fn image(&mut self, size: usize) -> Features {
        let axes = [
            Axis::batch(),
            Axis::Fixed(COLOURS),
            Axis::Fixed(size),
            Axis::Fixed(size),
        ];
        Features {
            value: self.graph.input("image", &axes),
            channels: COLOURS,
        }
    }

    /// The finished model.
    pub(super) fn finish(self) -> Model {
        self.graph.finish()
    }

    /// A convolution with the kernel `{name}.weight`, padded so that stride 1 keeps the size, then the batch normalization `norm`.
    /// The normalization is folded into the kernel.
    pub(super) fn normalized_conv(
        &mut self,
        input: &Features,
        name: &str,
        side: usize,
        stride: i64,
        norm: &str,
    ) -> Result<Features, ImportError> {
        let kernel = self.kernel(input, name, side)?;
        let norm = self.batch_norm(norm, kernel.len_of(ndarray::Axis(0)))?;
        let scale = norm
            .scale
            .to_shape((norm.scale.len(), 1, 1, 1))
            .expect("axes of length 1");
        Ok(self.conv(input, &(kernel * scale), Some(norm.shift), stride))
    }

    /// A convolution with the kernel `{name}.weight` and without a bias, padded so that stride 1 keeps the size.
    pub(super) fn plain_conv(
        &mut self,
        input: &Features,
        name: &str,
        side: usize,
    ) -> Result<Features, ImportError> {
        let kernel = self.kernel(input, name, side)?;
        Ok(self.conv(input, &kernel, None, 1))
    }

    /// A convolution with the kernel `{name}.weight` and the bias `{name}.bias`, padded so that stride 1 keeps the size.
    pub(super) fn biased_conv(
        &mut self,
        input: &Features,
        name: &str,
        side: usize,
        stride: i64,
    ) -> Result<Features, ImportError> {
        let kernel = self.kernel(input, name, side)?;
        let bias = self
            .weights
            .shaped(&format!("{name}.bias"), [kernel.len_of(ndarray::Axis(0))])?;
        Ok(self.conv(input, &kernel, Some(bias), stride))
    }

    /// A batch normalization before a padded convolution, which it cannot be folded into: the padding is 0 after it.
    pub(super) fn norm(&mut self, input: &Features, name: &str) -> Result<Features, ImportError> {
        let norm = self.batch_norm(name, input.channels)?;
        let (scale, shift) = (norm.scale.into_dyn(), norm.shift.into_dyn());
        Ok(Features {
            value: batch_normalization(&mut self.graph, &input.value, &scale, &shift),
            channels: input.channels,
        })
    }

    /// A PReLU with the slopes `{name}.weight`.
    pub(super) fn prelu(&mut self, input: &Features, name: &str) -> Result<Features, ImportError> {
        let slopes = self.weights.shaped(&format!("{name}.weight"), [input.channels])?;
        let slopes = slopes.insert_axis(ndarray::Axis(1)).insert_axis(ndarray::Axis(2));
        let slopes = self.graph.constant(&slopes);
        Ok(Features {
            value: prelu(&mut self.graph, &input.value, &slopes),
            channels: input.channels,
        })
    }

    /// The sum of both paths of a block. `tensor` is the last kernel of `residual`.
    pub(super) fn sum(
        &mut self,
        shortcut: &Features,
        residual: &Features,
        tensor: &str,
    ) -> Result<Features, ImportError> {
        self.expect_channels(residual, shortcut.channels, tensor)?;
        Ok(Features {
            value: add(&mut self.graph, &shortcut.value, &residual.value),
            channels: residual.channels,
        })
    }

    /// Refuses another number of channels. `tensor` is the kernel that made them.
    pub(super) fn expect_channels(
        &self,
        features: &Features,
        expected: usize,
        tensor: &str,
    ) -> Result<(), ImportError> {
        if features.channels == expected {
            return Ok(());
        }
        let found = self.weights.shape(tensor)?.to_vec();
        let expected = format!("{expected} outputs");
        Err(self.weights.unexpected(tensor, found, &expected))
    }

    /// A dense layer's weight `{name}.weight`, `[outputs, inputs]`, and bias `{name}.bias`.
    pub(super) fn dense(
        &self,
        name: &str,
        shape: [usize; 2],
    ) -> Result<(Array2<f32>, Array1<f32>), ImportError> {
        let weight = self.weights.shaped(&format!("{name}.weight"), shape)?;
        let bias = self.weights.shaped(&format!("{name}.bias"), [shape[0]])?;
        Ok((weight, bias))
    }

    /// The batch normalization `name`.
    pub(super) fn batch_norm(&self, name: &str, channels: usize) -> Result<BatchNorm, ImportError> {
        let read = |part: &str| self.weights.shaped(&format!("{name}.{part}"), [channels]);
        let scale = read("weight")? / (read("running_var")? + EPSILON).sqrt();
        let shift = read("bias")? - &scale * &read("running_mean")?;
        Ok(BatchNorm { scale, shift })
    }

    fn kernel(&self, input: &Features, name: &str, side: usize) -> Result<Array4<f32>, ImportError> {
        let tensor = format!("{name}.weight");
        let kernel = self.weights.array::<Ix4>(&tensor)?;
        let (outputs, inputs, height, width) = kernel.dim();
        if outputs == 0 || (inputs, height, width) != (input.channels, side, side) {
            let expected = format!("[outputs, {}, {side}, {side}]", input.channels);
            return Err(self
                .weights
                .unexpected(&tensor, kernel.shape().to_vec(), &expected));
        }
        Ok(kernel)
    }

    fn conv(
        &mut self,
        input: &Features,
        kernel: &Array4<f32>,
        bias: Option<Array1<f32>>,
        stride: i64,
    ) -> Features {
        let (channels, _, side, _) = kernel.dim();
        let settings = Convolution::padded(i64::from(side != 1)).strided(stride);
        let kernel = self.graph.constant(kernel);
        let bias = bias.map(|bias| self.graph.constant(&bias));
        Features {
            value: conv(&mut self.graph, &input.value, &kernel, bias.as_ref(), settings),
            channels,
        }
    }
}
