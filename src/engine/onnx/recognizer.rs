//! An identity graph that is ONNX, with the images brought to its size and range.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{Graph, ImageEntry};
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape, Recognizer, Runtime};

/// A network from images to embeddings.
pub(crate) struct OnnxRecognizer {
    network: Network,
    input: ImageInput,
    values: usize,
}

impl OnnxRecognizer {
    /// Opens an identity graph for a generator's images.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &ImageEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "embedding")?;
        let input = ImageInput::of(&network, generator, generator_range, entry.image_range)?;
        let &[_, Some(values @ 2..)] = network.output_axes() else {
            return Err(network.wrong_output("[batch, values], at least 2 of them, their number fixed"));
        };
        Ok(Self {
            network,
            input,
            values,
        })
    }
}

impl Recognizer for OnnxRecognizer {
    fn embed(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        self.input.rows(&mut self.network, images, self.values)
    }
}
