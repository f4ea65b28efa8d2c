//! An encoder in ONNX.

use ndarray::{Array3, ArrayView4};

use crate::catalog::{EncoderEntry, Graph};
use crate::engine::onnx::conversion::element_types::as_float;
use crate::engine::onnx::conversion::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{Encoder, EngineError, GeneratorShape, Runtime};

/// An encoder graph: image → code.
pub(crate) struct OnnxEncoder {
    network: Network,
    input: ImageInput,
    rows: usize,
    dim: usize,
}

impl OnnxEncoder {
    /// Opens an encoder, and checks its input against the manifest and its output against the manifest's space.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &EncoderEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let (graph, element) = as_float(graph);
        let network = Network::open_outputs(runtime, &graph, "code", &[entry.output.as_deref()])?;
        let size = [generator.height, generator.width];
        let input = ImageInput::new(&network, &entry.input, element, size, generator_range)?;
        let Some((rows, dim)) = generator.code_shape(entry.space) else {
            return Err(network.output_error(&format!(
                "a code in a space of the generator; it has no {}, which the manifest names as encoder.space",
                entry.space
            )));
        };
        match *network.output_axes() {
            [_, Some(found)] if rows == 1 && found == dim => {}
            [_, Some(layers), Some(found)] if (layers, found) == (rows, dim) => {}
            _ => {
                return Err(network.output_error(&format!(
                    "[batch, {rows}, {dim}] (or [batch, {dim}] if there is one row), a code in {}",
                    entry.space
                )));
            }
        }
        Ok(Self {
            network,
            input,
            rows,
            dim,
        })
    }
}

impl Encoder for OnnxEncoder {
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError> {
        let output = self.input.run(&mut self.network, images)?.swap_remove(0);
        let (found, shape) = (output.shape().to_vec(), (images.dim().0, self.rows, self.dim));
        output.into_shape_with_order(shape).map_err(|_| {
            let expected = format!("{shape:?}, codes as the graph declares them");
            self.network.result_error(&found, &expected)
        })
    }
}
