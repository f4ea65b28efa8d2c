//! A classifier in ONNX.

use ndarray::{Array2, ArrayView4, Ix2};

use crate::catalog::ClassifierFiles;
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{Classifier, EngineError, GeneratorShape, Runtime};

/// A classifier graph: image → scores.
pub(crate) struct OnnxClassifier {
    network: Network,
    outputs: usize,
    input: ImageInput,
}

impl OnnxClassifier {
    /// Opens a classifier, and checks its input against the generator's images and its output against the manifest.
    pub(crate) fn open(
        runtime: &Runtime,
        files: &ClassifierFiles,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, &files.graph, "scores")?;
        let input = ImageInput::new(&network, generator, generator_range, files.entry.image_range)?;
        let outputs = files.entry.outputs.len();
        if !matches!(network.output_axes(), &[_, Some(found)] if found == outputs) {
            return Err(network.output_error(&format!(
                "[batch, {outputs}], because the manifest lists {outputs} outputs"
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
        let scores = self.input.run(&mut self.network, images, &[self.outputs])?;
        Ok(scores.into_dimensionality::<Ix2>().expect("scores have two axes"))
    }
}
