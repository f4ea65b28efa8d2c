//! The weights of a PGGAN generator, as its paper orders them, without the factors of equalized learning rates.

use ndarray::{Array1, Array2, Array4};

/// The weights of a generator.
pub(super) struct GeneratorWeights {
    /// The matrix of the first layer `[z, channels · 16]`: the values of a channel, 4 rows of 4, lie together.
    pub dense: Array2<f32>,
    /// The first layer's bias, a value for each channel.
    pub dense_bias: Array1<f32>,
    /// The 3×3 convolutions: the second layer of 4×4, then two for each block. The first of a block doubles its input by
    /// nearest neighbour before.
    pub convolutions: Vec<Convolution>,
    /// The 1×1 convolution of the last block to red, green and blue.
    pub to_rgb: Convolution,
}

/// A convolution.
pub(super) struct Convolution {
    /// `[out, in, y, x]`.
    pub kernel: Array4<f32>,
    /// A value for each output.
    pub bias: Array1<f32>,
}

impl GeneratorWeights {
    /// The length of z.
    pub(super) fn z_dim(&self) -> usize {
        self.dense.nrows()
    }

    /// Height and width of the images.
    pub(super) fn resolution(&self) -> usize {
        4 << (self.convolutions.len() / 2)
    }
}
