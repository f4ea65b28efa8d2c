//! A small generator with styles, for the small model of the tests.

use faceplane::engine::{EngineError, Generator, GeneratorShape, StyleMapping, SynthesisInput};
use ndarray::{Array2, Array4, ArrayView2, ArrayView3, Axis};

/// A generator with styles: two layers of three channels. Channel 1 of layer 1 makes the red channel alone, and channel 2 of layer 0 the red
/// and the green one.
pub(crate) struct StyledGenerator {
    shape: GeneratorShape,
}

/// The styles of a code: three sums of the values of a row for each of two layers.
pub(crate) struct SumStyles;

impl StyledGenerator {
    /// The place of the planted channel.
    pub(crate) const PLANTED: (usize, usize) = (1, 1);

    pub(crate) fn new() -> Self {
        let shape = GeneratorShape {
            z_dim: 4,
            w_dim: 4,
            synthesis: SynthesisInput::WPlus { layers: 3 },
            height: 8,
            width: 8,
            largest_batch: 4,
            styles: Ok(vec![3, 3]),
        };
        Self { shape }
    }
}

impl Generator for StyledGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let styles = SumStyles.styles(codes)?;
        self.synthesize_styles(styles.view())
    }

    fn synthesize_styles(&mut self, styles: ArrayView2<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let size = (styles.nrows(), 3, 8, 8);
        Ok(Array4::from_shape_fn(size, |(image, channel, _, _)| {
            let style = styles.row(image);
            let value = match channel {
                0 => style[4] + 2.0 * style[2],
                1 => 0.5 * style[0] - 2.0 * style[2],
                _ => style[3],
            };
            (0.2 * value).tanh()
        }))
    }
}

impl SumStyles {
    /// The styles of a generator, if it has any.
    pub(crate) fn of(generator: &impl Generator) -> Option<Box<dyn StyleMapping>> {
        let has_styles = generator.shape().styles.is_ok();
        has_styles.then(|| Box::new(Self) as Box<dyn StyleMapping>)
    }
}

impl StyleMapping for SumStyles {
    fn styles(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let value = |(code, style): (usize, usize)| {
            let row = codes.index_axis(Axis(0), code);
            row[[style / 3, style % 3]] + 0.5 * row[[style / 3, 3]]
        };
        Ok(Array2::from_shape_fn((codes.len_of(Axis(0)), 6), value))
    }
}
