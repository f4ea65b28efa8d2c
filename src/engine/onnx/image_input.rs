//! Converts the generator's images to the size and range that another network takes.

use ndarray::{Array4, ArrayD, ArrayView4, Axis, CowArray, Ix4, Slice};

use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape};

/// The conversion of images for a network's input.
pub(crate) struct ImageInput {
    /// The mean of `pooled` × `pooled` pixels becomes one pixel.
    pooled: usize,
    /// `value · scale + shift` converts a value from the generator's range to the network's.
    scale: f32,
    shift: f32,
    /// Most images in one run: 1 if the graph's batch is fixed.
    largest_batch: usize,
}

impl ImageInput {
    /// The conversion from a generator's images to the input of `network`. A range is the value of black and the value of
    /// white.
    ///
    /// # Errors
    /// [`EngineError::Tensor`] unless the input's height and width are those of the generator, divided by one integer.
    pub(crate) fn new(
        network: &Network,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
        input_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let (height, width) = (generator.height, generator.width);
        let expected = format!(
            "[batch, 3, {height}, {width}], the size of the generator's images, or height and width divided by one integer, \
             and a batch that is open or 1"
        );
        let &[batch @ (None | Some(1)), Some(3), rows, columns] = network.input_axes() else {
            return Err(network.input_error(&expected));
        };
        let (rows, columns) = (rows.unwrap_or(height), columns.unwrap_or(width));
        if rows == 0
            || columns == 0
            || height % rows != 0
            || width % columns != 0
            || height / rows != width / columns
        {
            return Err(network.input_error(&expected));
        }
        let ([black, white], [input_black, input_white]) = (generator_range, input_range);
        let scale = (input_white - input_black) / (white - black);
        Ok(Self {
            pooled: height / rows,
            scale,
            shift: input_black - black * scale,
            largest_batch: if batch.is_some() { 1 } else { usize::MAX },
        })
    }

    /// Converts images and runs the network on them. The output is `[images]` followed by `shape`, with finite values.
    ///
    /// # Errors
    /// [`EngineError`] if a run fails or its output is wrong.
    pub(crate) fn run(
        &self,
        network: &mut Network,
        images: ArrayView4<'_, f32>,
        shape: &[usize],
    ) -> Result<ArrayD<f32>, EngineError> {
        let converted = self.convert(images);
        let output = network.run_in_batches(&[converted.view().into_dyn()], self.largest_batch, shape)?;
        network.check_finite(output)
    }

    /// Images in the network's size and range. Without a copy if they are the generator's.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    fn convert<'a>(&self, images: ArrayView4<'a, f32>) -> CowArray<'a, f32, Ix4> {
        let n = self.pooled;
        let (scale, shift) = (self.scale / (n * n) as f32, self.shift);
        if (n, scale, shift) == (1, 1.0, 0.0) {
            return images.into();
        }
        let (batch, channels, height, width) = images.dim();
        let mut pooled = Array4::zeros((batch, channels, height / n, width / n));
        let every_nth = |first: usize| Slice::from(first..).step_by(n.cast_signed());
        for row in 0..n {
            let rows = images.slice_axis(Axis(2), every_nth(row));
            for column in 0..n {
                pooled += &rows.slice_axis(Axis(3), every_nth(column));
            }
        }
        pooled.mapv_inplace(|sum| sum * scale + shift);
        pooled.into()
    }
}
