//! An encoder whose graph is ONNX.

use ndarray::{Array3, ArrayView4, Axis, Ix2, Ix3, concatenate};

use crate::catalog::{EncoderEntry, Graph};
use crate::engine::onnx::image_input::ImageInput;
use crate::engine::onnx::network::Network;
use crate::engine::{Encoder, EngineError, GeneratorShape, Runtime};

/// A network from images to codes.
pub(crate) struct OnnxEncoder {
    network: Network,
    input: ImageInput,
    rows: usize,
    dim: usize,
}

impl OnnxEncoder {
    /// Opens an encoder for a generator's images.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &EncoderEntry,
        generator: &GeneratorShape,
        generator_range: [f32; 2],
    ) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "code")?;
        let input = ImageInput::of(&network, generator, generator_range, entry.image_range)?;
        let Some((rows, dim)) = generator.code_shape(entry.space) else {
            return Err(network.wrong_output(&format!(
                "a code of this generator, which has none in {}, the manifest's encoder.space",
                entry.space
            )));
        };
        let fits = match *network.output_axes() {
            [_, Some(found)] => rows == 1 && found == dim,
            [_, Some(layers), Some(found)] => (layers, found) == (rows, dim),
            _ => false,
        };
        if !fits {
            return Err(network.wrong_output(&format!(
                "[batch, {rows}, {dim}] ([batch, {dim}] for one row), a code in {}",
                entry.space
            )));
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
        let prepared = self.input.prepare(images);
        let at_once = self.input.at_once.min(prepared.len_of(Axis(0)));
        let mut parts = Vec::new();
        for batch in prepared.axis_chunks_iter(Axis(0), at_once.max(1)) {
            let found = self.network.run(batch)?;
            let shape = found.shape().to_vec();
            let found = match found.ndim() {
                2 => found
                    .into_dimensionality::<Ix2>()
                    .map(|codes| codes.insert_axis(Axis(1))),
                _ => found.into_dimensionality::<Ix3>(),
            };
            let expected = (batch.len_of(Axis(0)), self.rows, self.dim);
            let found = found.ok().filter(|found| found.dim() == expected);
            let found = found.ok_or_else(|| self.network.wrong_result(&shape, &format!("{expected:?}")))?;
            parts.push(found);
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        let codes = concatenate(Axis(0), &views).expect("every part has codes of one shape");
        self.network.finite(codes)
    }
}
