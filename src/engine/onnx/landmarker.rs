//! A landmark network in ONNX.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{Graph, LandmarksEntry};
use crate::engine::onnx::conversion::element_types::as_float;
use crate::engine::onnx::conversion::image_input::ImageInput;
use crate::engine::onnx::conversion::input_shape::InputShape;
use crate::engine::onnx::conversion::landmark_points::LandmarkReader;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Landmarker, Runtime};

/// A landmark graph: image → landmarks of the face.
pub(crate) struct OnnxLandmarker {
    network: Network,
    size: [usize; 2],
    input: ImageInput,
    reader: LandmarkReader,
}

impl OnnxLandmarker {
    /// Opens a landmark graph. Its input can have any size that the graph or the manifest says, because images are scaled to it.
    pub(crate) fn open(
        runtime: &Runtime,
        graph: &Graph,
        entry: &LandmarksEntry,
    ) -> Result<Self, EngineError> {
        let (graph, element) = as_float(graph);
        let network = Network::open_outputs(runtime, &graph, "landmarks", &[entry.output.as_deref()])?;
        let Some(size) = InputShape::new(&network, &entry.input)?.size else {
            return Err(network.input_error(
                "[batch, 3, height, width] with a fixed height and width, or landmarks.size in the manifest",
            ));
        };
        let reader = LandmarkReader::new(entry, network.output_values(0), size)
            .map_err(|expected| network.output_error(&expected))?;
        Ok(Self {
            input: ImageInput::new(&network, &entry.input, element, size, [-1.0, 1.0])?,
            network,
            size,
            reader,
        })
    }
}

impl Landmarker for OnnxLandmarker {
    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn landmarks(&mut self, image: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let output = self.input.run(&mut self.network, image)?.swap_remove(0);
        let landmarks = self.reader.read(&output);
        landmarks.ok_or_else(|| {
            let expected = "the number of values that the graph declares";
            self.network.result_error(output.shape(), expected)
        })
    }
}
