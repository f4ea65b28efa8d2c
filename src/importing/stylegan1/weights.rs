//! The weights of a StyleGAN generator, without the factors of equalized learning rates.

use ndarray::{Array1, Array2, Array3, Array4};

/// The weights of a generator.
pub(super) struct GeneratorWeights {
    /// The dense layers from z to w.
    pub mapping: Vec<Dense>,
    /// The average w code, if the checkpoint has it.
    pub w_avg: Option<Array1<f32>>,
    /// The features `[channels, 4, 4]` that layer 0 begins with.
    pub constant: Array3<f32>,
    /// Layer 0, which has no convolution.
    pub first: Epilogue,
    /// The layers from 1 on. Those at odd indices double their input by nearest neighbour before the convolution.
    pub layers: Vec<Layer>,
    /// The 1×1 convolution of the last layer to red, green and blue: its kernel `[out, in, 1, 1]` and its bias.
    pub to_rgb: (Array4<f32>, Array1<f32>),
}

/// A 3×3 convolution with kernel `[out, in, y, x]`, and what follows it.
pub(super) struct Layer {
    pub kernel: Array4<f32>,
    pub epilogue: Epilogue,
}

/// What follows the convolution of a layer with `channels` outputs.
pub(super) struct Epilogue {
    /// A map `[height, width]` that is the same for all channels.
    pub noise: Array2<f32>,
    /// The noise's weight in each channel.
    pub noise_weight: Array1<f32>,
    /// A value for each channel.
    pub bias: Array1<f32>,
    /// From w to the style: the scales of all channels, less 1, then their shifts.
    pub style: Dense,
}

/// A dense layer: a matrix `[in, out]` and a bias.
pub(super) struct Dense {
    pub matrix: Array2<f32>,
    pub bias: Array1<f32>,
}

impl GeneratorWeights {
    /// The length of z.
    pub(super) fn z_dim(&self) -> usize {
        self.mapping[0].matrix.nrows()
    }

    /// The length of w.
    pub(super) fn w_dim(&self) -> usize {
        self.first.style.matrix.nrows()
    }

    /// The number of layers, which is that of w codes.
    pub(super) fn layers(&self) -> usize {
        1 + self.layers.len()
    }

    /// Height and width of the images.
    pub(super) fn resolution(&self) -> usize {
        4 << (self.layers.len() / 2)
    }
}
