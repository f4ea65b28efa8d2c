//! A classifier whose graph is ONNX, with the images brought to its size and range.

use ndarray::{Array2, ArrayView4, Axis, Ix2};

use super::image_input::ImageInput;
use super::network::Network;
use super::{Classifier, EngineError, GeneratorShape, Runtime};
use crate::catalog::ClassifierPackage;

/// A network from images to scores.
pub(super) struct OnnxClassifier {
    network: Network,
    outputs: usize,
    input: ImageInput,
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
        let input = ImageInput::of(&network, generator, generator_range, package.entry.image_range)?;
        let outputs = package.entry.outputs.len();
        if !matches!(network.output_axes(), &[_, Some(found)] if found == outputs) {
            return Err(network.wrong_output(&format!(
                "[batch, {outputs}], as the manifest lists {outputs} outputs"
            )));
        }
        Ok(Self {
            network,
            outputs,
            input,
        })
    }
}

impl Classifier for OnnxClassifier {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let prepared = self.input.prepare(images);
        let at_once = self.input.at_once.min(prepared.len_of(Axis(0)));
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
