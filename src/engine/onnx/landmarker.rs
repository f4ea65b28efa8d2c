//! A landmark graph that is ONNX.

use ndarray::{Array2, ArrayView4};

use crate::catalog::{Graph, ImageEntry};
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Landmarker, Runtime};

/// A network from an image to a face's landmarks.
pub(crate) struct OnnxLandmarker {
    network: Network,
    size: [usize; 2],
    points: usize,
    black: f32,
    white: f32,
}

impl OnnxLandmarker {
    /// Opens a landmark graph; any fixed size of its images will do.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph, entry: &ImageEntry) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "landmarks")?;
        let &[None | Some(1), Some(3), Some(height), Some(width)] = network.input_axes() else {
            return Err(network.wrong_input("[batch, 3, height, width], height and width fixed"));
        };
        if height == 0 || width == 0 {
            return Err(network.wrong_input("an image of at least one pixel"));
        }
        let numbers = match *network.output_axes() {
            [_, Some(numbers)] => numbers,
            [_, Some(points), Some(2)] => 2 * points,
            _ => 0,
        };
        if ![10, 136].contains(&numbers) {
            return Err(
                network.wrong_output("[batch, 5, 2] or [batch, 68, 2] (or [batch, 10] or [batch, 136])")
            );
        }
        let [black, white] = entry.image_range;
        Ok(Self {
            network,
            size: [height, width],
            points: numbers / 2,
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
        let found = self.network.run(image.view())?;
        let shape = found.shape().to_vec();
        let found = found.into_shape_with_order((self.points, 2));
        let found = found.map_err(|_| {
            let expected = format!("[1, {}, 2] for one image", self.points);
            self.network.wrong_result(&shape, &expected)
        })?;
        self.network.finite(found)
    }
}
