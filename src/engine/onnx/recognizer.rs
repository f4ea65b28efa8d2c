//! An identity network in ONNX.

use ndarray::{Array2, ArrayView4, Ix2};

use crate::catalog::{Graph, ImageEntry};
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape, Recognizer, Runtime};

/// An identity graph: image → embedding.
pub(crate) struct OnnxRecognizer {
    network: Network,
    input: ImageInput,
    values: usize,
}

impl OnnxRecognizer {
    /// Opens an identity graph, and checks its input against the generator's images.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &ImageEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "embedding")?;
        let input = ImageInput::new(&network, generator, generator_range, entry.image_range)?;
        let &[_, Some(values @ 2..)] = network.output_axes() else {
            return Err(network.output_error("[batch, values] with a fixed number of values, at least 2"));
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
        let embeddings = self.input.run(&mut self.network, images, &[self.values])?;
        Ok(embeddings
            .into_dimensionality::<Ix2>()
            .expect("embeddings have two axes"))
    }
}
