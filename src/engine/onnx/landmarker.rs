//! A landmark network in ONNX.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{Graph, ImageEntry};
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Landmarker, Runtime};

/// The values of an output that holds 5 or 68 landmarks, two for each.
const VALUES: [usize; 2] = [2 * 5, 2 * 68];

/// A landmark graph: image → landmarks of the face.
pub(crate) struct OnnxLandmarker {
    network: Network,
    size: [usize; 2],
    points: usize,
    /// The values of black and white in the graph's input.
    black: f32,
    white: f32,
}

impl OnnxLandmarker {
    /// Opens a landmark graph. Its input can have any fixed size, because images are scaled to it.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph, entry: &ImageEntry) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "landmarks")?;
        let &[None | Some(1), Some(3), Some(height @ 1..), Some(width @ 1..)] = network.input_axes() else {
            return Err(network.input_error(
                "[batch, 3, height, width] with a fixed height and width of at least one pixel, and a batch that is open or 1",
            ));
        };
        let values = match *network.output_axes() {
            [_, Some(values)] => values,
            [_, Some(points), Some(2)] => 2 * points,
            _ => 0,
        };
        if !VALUES.contains(&values) {
            return Err(
                network.output_error("[batch, 5, 2] or [batch, 68, 2] (or [batch, 10] or [batch, 136])")
            );
        }
        let [black, white] = entry.image_range;
        Ok(Self {
            network,
            size: [height, width],
            points: values / 2,
            black,
            white,
        })
    }
}

impl Landmarker for OnnxLandmarker {
    fn size(&self) -> [usize; 2] {
        self.size
    }

    fn landmarks(&mut self, image: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let scale = (self.white - self.black) / 2.0;
        let image = image.mapv(|value| self.black + (value + 1.0) * scale);
        let output = self.network.run(image.view())?;
        let shape = output.shape().to_vec();
        let landmarks = output.into_shape_with_order((self.points, 2));
        let landmarks = landmarks.map_err(|_| {
            let expected = format!("[1, {}, 2] for one image", self.points);
            self.network.result_error(&shape, &expected)
        })?;
        self.network.check_finite(landmarks)
    }
}
