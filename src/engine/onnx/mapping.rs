//! A mapping whose graph is ONNX.

use ndarray::{Array2, ArrayView2, Axis, Ix2, concatenate};

use crate::catalog::Graph;
use crate::engine::onnx::network::Network;
use crate::engine::{EngineError, Mapping, Runtime};

/// A network from z to w.
pub(crate) struct OnnxMapping {
    network: Network,
    z_dim: usize,
    w_dim: usize,
    one_at_a_time: bool,
}

impl OnnxMapping {
    /// Opens a mapping.
    pub(crate) fn open(runtime: &Runtime, graph: &Graph) -> Result<Self, EngineError> {
        let network = Network::open(runtime, graph, "w")?;
        let &[batch, Some(z_dim)] = network.input_axes() else {
            return Err(network.wrong_input("[batch, dim] for z"));
        };
        if !matches!(batch, None | Some(1)) {
            return Err(network.wrong_input("a batch that is open, or 1"));
        }
        let &[_, Some(w_dim)] = network.output_axes() else {
            return Err(network.wrong_output("[batch, dim] for w, before it is repeated for layers"));
        };
        Ok(Self {
            network,
            z_dim,
            w_dim,
            one_at_a_time: batch.is_some(),
        })
    }

    /// Length of a z code.
    pub(crate) fn z_dim(&self) -> usize {
        self.z_dim
    }

    /// Refuses a mapping whose w is not what synthesis takes.
    pub(crate) fn check_w_dim(&self, w_dim: usize) -> Result<(), EngineError> {
        if self.w_dim == w_dim {
            return Ok(());
        }
        let expected = format!("[batch, {w_dim}], which synthesis takes");
        Err(self.network.wrong_output(&expected))
    }
}

impl Mapping for OnnxMapping {
    fn map(&mut self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let at_once = if self.one_at_a_time {
            1
        } else {
            z.len_of(Axis(0)).max(1)
        };
        let mut parts = Vec::new();
        for part in z.axis_chunks_iter(Axis(0), at_once) {
            let w = self.network.run(part)?;
            let expected = [part.len_of(Axis(0)), self.w_dim];
            if *w.shape() != expected {
                return Err(self.network.wrong_result(w.shape(), &format!("{expected:?}")));
            }
            parts.push(w.into_dimensionality::<Ix2>().expect("it has two axes"));
        }
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        Ok(concatenate(Axis(0), &views).expect("every part has w_dim columns"))
    }
}
