//! An identity network in ONNX.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{Graph, IdentityEntry};
use crate::engine::onnx::conversion::element_types::as_float;
use crate::engine::onnx::conversion::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape, Recognizer, Runtime};

/// An identity graph: image → embedding.
pub(crate) struct OnnxRecognizer {
    network: Network,
    input: ImageInput,
    values: usize,
}

impl OnnxRecognizer {
    /// Opens an identity graph, and checks its input against the manifest.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &IdentityEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let (graph, element) = as_float(graph);
        let network = Network::open_outputs(runtime, &graph, "embedding", &[entry.output.as_deref()])?;
        let size = [generator.height, generator.width];
        let input = ImageInput::new(&network, &entry.input, element, size, generator_range)?;
        let Some(values @ 2..) = network.output_values(0) else {
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
        let output = self.input.run(&mut self.network, images)?.swap_remove(0);
        let (found, shape) = (output.shape().to_vec(), (images.dim().0, self.values));
        output.into_shape_with_order(shape).map_err(|_| {
            let expected = format!("{shape:?}, the values that the graph declares");
            self.network.result_error(&found, &expected)
        })
    }
}
