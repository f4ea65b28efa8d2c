//! A classifier whose graph is ONNX, with the images brought to its size and range.

use ndarray::{Array2, ArrayView4};

use crate::catalog::ClassifierPackage;
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{Classifier, EngineError, GeneratorShape, Runtime};

/// A network from images to scores.
pub(crate) struct OnnxClassifier {
    network: Network,
    outputs: usize,
    input: ImageInput,
}

impl OnnxClassifier {
    /// Opens a classifier for a generator's images.
    pub(crate) fn open(
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
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        self.input.rows(&mut self.network, images, self.outputs)
    }
}
