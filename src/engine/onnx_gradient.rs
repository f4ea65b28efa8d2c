//! A gradient graph in ONNX: the loss of codes against images, and its slope.

use ndarray::{ArrayView3, ArrayView4, Axis, Ix1, Ix2, Ix3};

use super::network::Network;
use super::{EngineError, GeneratorShape, Gradient, Runtime, Slope, SynthesisInput};
use crate::catalog::ModelPackage;

/// A network from codes and images to losses and slopes.
pub(super) struct OnnxGradient {
    network: Network,
    with_rows: bool,
}

impl OnnxGradient {
    /// Opens a gradient graph, which takes longer than any other and needs nothing but its file.
    pub(super) fn network(runtime: &Runtime, package: &ModelPackage) -> Result<Option<Network>, EngineError> {
        let code = if package.mapping.is_some() { "w" } else { "z" };
        let open = |graph| Network::open_gradient(runtime, graph, &[code, "target"], &["gradient", "loss"]);
        package.gradient.as_ref().map(open).transpose()
    }

    /// Checks a gradient graph against its generator.
    pub(super) fn of(network: Network, generator: &GeneratorShape) -> Result<Self, EngineError> {
        let dim = generator.w_dim;
        let (rows, expected) = match generator.synthesis {
            SynthesisInput::WPlus { layers } => (Some(layers), format!("[batch, {layers}, {dim}]")),
            SynthesisInput::W | SynthesisInput::Z => (None, format!("[batch, {dim}]")),
        };
        let fits = match (network.input_axes(), rows) {
            (&[None, Some(layers), Some(found)], Some(rows)) => (layers, found) == (rows, dim),
            (&[None, Some(found)], None) => found == dim,
            _ => false,
        };
        if !fits {
            return Err(network.wrong_input(&format!("{expected}, as synthesis takes, the batch open")));
        }
        Ok(Self {
            network,
            with_rows: rows.is_some(),
        })
    }
}

impl Gradient for OnnxGradient {
    fn slope(
        &mut self,
        codes: ArrayView3<'_, f32>,
        targets: ArrayView4<'_, f32>,
    ) -> Result<Slope, EngineError> {
        let input = if self.with_rows {
            codes.into_dyn()
        } else {
            codes.index_axis_move(Axis(1), 0).into_dyn()
        };
        let mut outputs = self.network.run_all(&[input, targets.into_dyn()])?;
        let loss = outputs
            .pop()
            .and_then(|loss| loss.into_dimensionality::<Ix1>().ok());
        let gradient = outputs.pop().and_then(|gradient| {
            if self.with_rows {
                return gradient.into_dimensionality::<Ix3>().ok();
            }
            let gradient = gradient.into_dimensionality::<Ix2>().ok()?;
            Some(gradient.insert_axis(Axis(1)))
        });
        match (loss, gradient) {
            (Some(loss), Some(gradient))
                if gradient.dim() == codes.dim() && loss.len() == codes.len_of(Axis(0)) =>
            {
                Ok(Slope {
                    loss: self.network.finite(loss)?,
                    gradient: self.network.finite(gradient)?,
                })
            }
            _ => Err(self
                .network
                .wrong_output(&format!("{:?}, as the codes, and one loss for each", codes.dim()))),
        }
    }
}
