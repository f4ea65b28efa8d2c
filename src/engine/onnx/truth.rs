//! A graph of true values in ONNX.

use ndarray::{Array2, ArrayView3, Axis, Ix2};

use crate::catalog::Graph;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, GeneratorShape, Runtime, Truth};

/// A graph of true values: code → a value for each attribute.
struct OnnxTruth {
    network: Network,
    attributes: usize,
}

/// Opens a graph of true values for the codes of a generator.
///
/// # Errors
/// [`EngineError`] if the graph cannot be opened, or takes no codes `[batch, rows, dim]` of this generator.
pub fn open_truth(
    runtime: &Runtime,
    graph: &Graph,
    shape: &GeneratorShape,
) -> Result<Box<dyn Truth>, EngineError> {
    let network = Network::open(runtime, graph, "truth")?;
    let expected = (shape.synthesis_rows(), shape.w_dim);
    match *network.input_axes() {
        [_, Some(rows), Some(dim)] if (rows, dim) == expected => (),
        [_, Some(dim)] if (1, dim) == expected => (),
        _ => {
            let (rows, dim) = expected;
            return Err(
                network.input_error(&format!("[batch, {rows}, {dim}], the codes that synthesis takes"))
            );
        }
    }
    let &[_, Some(attributes)] = network.output_axes() else {
        return Err(network.output_error("[batch, attributes] for the true values"));
    };
    Ok(Box::new(OnnxTruth { network, attributes }))
}

impl Truth for OnnxTruth {
    fn values(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let codes = if self.network.input_axes().len() == 2 {
            codes.index_axis_move(Axis(1), 0).into_dyn()
        } else {
            codes.into_dyn()
        };
        let values = self
            .network
            .run_in_batches(&[codes], usize::MAX, &[self.attributes])?;
        let values = self.network.check_finite(values)?;
        Ok(values
            .into_dimensionality::<Ix2>()
            .expect("true values have two axes"))
    }
}
