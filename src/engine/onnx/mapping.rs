//! A mapping network in ONNX.

use ndarray::{Array2, ArrayView2, Ix2};

use crate::catalog::Graph;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Mapping, Runtime};

/// The second input of a class-conditional mapping.
const LABEL: &str = "label";

/// A mapping graph: z → w, or z and label → w.
pub(crate) struct OnnxMapping {
    network: Network,
    z_dim: usize,
    /// 0 without a label.
    classes: usize,
    w_dim: usize,
}

impl OnnxMapping {
    /// Opens a mapping graph.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph) -> Result<Self, EngineError> {
        let network = Network::open_with(runtime, graph, Some(LABEL), "w", &[None])?;
        let &[_, Some(z_dim)] = network.input_axes() else {
            return Err(network.input_error("[batch, dim] for z"));
        };
        let &[_, Some(w_dim)] = network.output_axes() else {
            return Err(network.output_error("[batch, dim] for w, not repeated for each layer"));
        };
        let classes = match network.second_input_axes() {
            None => 0,
            Some(&[batch, Some(classes)]) if batch == network.input_axes()[0] && classes > 0 => classes,
            Some(_) => {
                return Err(network.second_input_error("[batch, classes] for label, with the batch of z"));
            }
        };
        Ok(Self {
            network,
            z_dim,
            classes,
            w_dim,
        })
    }

    /// Length of a z code.
    pub(crate) fn z_dim(&self) -> usize {
        self.z_dim
    }

    /// An error if the w codes do not have the length that synthesis takes.
    pub(crate) fn check_w_dim(&self, w_dim: usize) -> Result<(), EngineError> {
        if self.w_dim == w_dim {
            return Ok(());
        }
        let expected = format!("[batch, {w_dim}], which synthesis takes");
        Err(self.network.output_error(&expected))
    }
}

impl Mapping for OnnxMapping {
    fn classes(&self) -> usize {
        self.classes
    }

    fn map(
        &mut self,
        z: ArrayView2<'_, f32>,
        labels: Option<ArrayView2<'_, f32>>,
    ) -> Result<Array2<f32>, EngineError> {
        let inputs = [Some(z), labels].into_iter().flatten();
        let inputs: Vec<_> = inputs.map(ArrayView2::into_dyn).collect();
        let w = self.network.run_in_batches(&inputs, usize::MAX, &[self.w_dim])?;
        let w = self.network.check_finite(w)?;
        Ok(w.into_dimensionality::<Ix2>().expect("w codes have two axes"))
    }
}
