//! An encoder in ONNX.

use ndarray::{Array3, ArrayView4, Axis};

use crate::catalog::{EncoderEntry, Graph};
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{Encoder, EngineError, GeneratorShape, Runtime};

/// An encoder graph: image → code.
pub(crate) struct OnnxEncoder {
    network: Network,
    input: ImageInput,
    rows: usize,
    dim: usize,
    /// Shape of a code in the graph's output: `[dim]` or `[rows, dim]`.
    output: Vec<usize>,
}

impl OnnxEncoder {
    /// Opens an encoder, and checks its input against the generator's images and its output against the manifest's space.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &EncoderEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "code")?;
        let input = ImageInput::new(&network, generator, generator_range, entry.image_range)?;
        let Some((rows, dim)) = generator.code_shape(entry.space) else {
            return Err(network.output_error(&format!(
                "a code in a space of the generator; it has no {}, which the manifest names as encoder.space",
                entry.space
            )));
        };
        let output = match *network.output_axes() {
            [_, Some(found)] if rows == 1 && found == dim => vec![dim],
            [_, Some(layers), Some(found)] if (layers, found) == (rows, dim) => vec![rows, dim],
            _ => {
                return Err(network.output_error(&format!(
                    "[batch, {rows}, {dim}] (or [batch, {dim}] if there is one row), a code in {}",
                    entry.space
                )));
            }
        };
        Ok(Self {
            network,
            input,
            rows,
            dim,
            output,
        })
    }
}

impl Encoder for OnnxEncoder {
    fn encode(&mut self, images: ArrayView4<'_, f32>) -> Result<Array3<f32>, EngineError> {
        let codes = self.input.run(&mut self.network, images, &self.output)?;
        let shape = (codes.len_of(Axis(0)), self.rows, self.dim);
        Ok(codes
            .into_shape_with_order(shape)
            .expect("a code has rows × dim values"))
    }
}
