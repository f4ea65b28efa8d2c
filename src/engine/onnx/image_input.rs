//! A generator's images, brought to the size and range that another network wants.

use ndarray::{Array2, Array4, ArrayView4, Axis, CowArray, Ix2, Ix4, Slice};

use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape};

/// How images are brought to a network.
pub(crate) struct ImageInput {
    /// Source pixels that become one, along each axis.
    pooled: usize,
    /// `value · scale + shift` takes the generator's range to the network's.
    scale: f32,
    shift: f32,
    /// Most images that one run may hold.
    pub(crate) at_once: usize,
}

impl ImageInput {
    /// What brings a generator's images, black and white at the values of `from`, to the input of `network`, at those of
    /// `to`.
    pub(crate) fn of(
        network: &Network,
        generator: &GeneratorShape,
        from: [f32; 2],
        to: [f32; 2],
    ) -> Result<Self, EngineError> {
        let (height, width) = (generator.height, generator.width);
        let expected = format!(
            "[batch, 3, {height}, {width}], the generator's pictures, or a whole fraction of their height and width"
        );
        let &[batch @ (None | Some(1)), Some(3), rows, columns] = network.input_axes() else {
            return Err(network.wrong_input(&expected));
        };
        let (rows, columns) = (rows.unwrap_or(height), columns.unwrap_or(width));
        if rows == 0
            || columns == 0
            || height % rows != 0
            || width % columns != 0
            || height / rows != width / columns
        {
            return Err(network.wrong_input(&expected));
        }
        let ([black, white], [own_black, own_white]) = (from, to);
        let scale = (own_white - own_black) / (white - black);
        Ok(Self {
            pooled: height / rows,
            scale,
            shift: own_black - black * scale,
            at_once: if batch.is_some() { 1 } else { usize::MAX },
        })
    }

    /// One row of `width` values for each image, by as many runs as it takes.
    pub(crate) fn rows(
        &self,
        network: &mut Network,
        images: ArrayView4<'_, f32>,
        width: usize,
    ) -> Result<Array2<f32>, EngineError> {
        let prepared = self.prepare(images);
        let at_once = self.at_once.min(prepared.len_of(Axis(0)));
        let mut rows = Array2::zeros((0, width));
        for batch in prepared.axis_chunks_iter(Axis(0), at_once.max(1)) {
            let found = network.run(batch)?;
            let expected = [batch.len_of(Axis(0)), width];
            if *found.shape() != expected {
                return Err(network.wrong_result(found.shape(), &format!("{expected:?}")));
            }
            let found = found.into_dimensionality::<Ix2>().expect("it has two axes");
            rows.append(Axis(0), found.view()).expect("the widths are equal");
        }
        network.finite(rows)
    }

    /// Means of squares of `pooled` × `pooled` pixels, in the network's range.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    pub(crate) fn prepare<'a>(&self, images: ArrayView4<'a, f32>) -> CowArray<'a, f32, Ix4> {
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
