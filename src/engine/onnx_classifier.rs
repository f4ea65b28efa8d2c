//! A classifier whose graph is ONNX, with the images brought to its size and range.

use ndarray::{Array2, Array4, ArrayView4, Axis, Ix2, Slice};

use super::network::Network;
use super::{Classifier, EngineError, GeneratorShape, Runtime};
use crate::catalog::ClassifierPackage;

/// A network from images to scores.
pub(super) struct OnnxClassifier {
    network: Network,
    outputs: usize,
    /// Source pixels that become one, along each axis.
    pooled: usize,
    /// `value · scale + shift` takes the generator's range to the classifier's.
    scale: f32,
    shift: f32,
    one_at_a_time: bool,
}

impl OnnxClassifier {
    /// Opens a classifier for a generator's images.
    pub(super) fn open(
        runtime: &Runtime,
        package: &ClassifierPackage,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, &package.graph, "scores")?;
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
        let outputs = package.entry.outputs.len();
        if !matches!(network.output_axes(), &[_, Some(found)] if found == outputs) {
            return Err(network.wrong_output(&format!(
                "[batch, {outputs}], as the manifest lists {outputs} outputs"
            )));
        }
        let [black, white] = generator_range;
        let [own_black, own_white] = package.entry.image_range;
        let scale = (own_white - own_black) / (white - black);
        let shift = own_black - black * scale;
        Ok(Self {
            network,
            outputs,
            pooled: height / rows,
            scale,
            shift,
            one_at_a_time: batch.is_some(),
        })
    }

    /// Means of squares of `pooled` × `pooled` pixels, in the classifier's range.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand pixels at most")]
    fn prepare(&self, images: ArrayView4<'_, f32>) -> Array4<f32> {
        let n = self.pooled;
        let (batch, channels, height, width) = images.dim();
        let mut pooled = Array4::zeros((batch, channels, height / n, width / n));
        let every_nth = |first: usize| Slice::from(first..).step_by(n.cast_signed());
        for row in 0..n {
            let rows = images.slice_axis(Axis(2), every_nth(row));
            for column in 0..n {
                pooled += &rows.slice_axis(Axis(3), every_nth(column));
            }
        }
        let scale = self.scale / (n * n) as f32;
        pooled.mapv_inplace(|sum| sum * scale + self.shift);
        pooled
    }
}

impl Classifier for OnnxClassifier {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let prepared = self.prepare(images);
        let at_once = if self.one_at_a_time {
            1
        } else {
            prepared.len_of(Axis(0))
        };
        let mut scores = Array2::zeros((0, self.outputs));
        for batch in prepared.axis_chunks_iter(Axis(0), at_once.max(1)) {
            let found = self.network.run(batch)?.into_dimensionality::<Ix2>();
            let found = found
                .ok()
                .filter(|found| found.dim() == (batch.len_of(Axis(0)), self.outputs));
            let found =
                found.ok_or_else(|| self.network.wrong_output(&format!("[batch, {}]", self.outputs)))?;
            scores
                .append(Axis(0), found.view())
                .expect("the widths are equal");
        }
        match scores.iter().position(|score| !score.is_finite()) {
            None => Ok(scores),
            Some(index) => Err(EngineError::NotFinite {
                network: self.network.file().to_owned(),
                index,
            }),
        }
    }
}
