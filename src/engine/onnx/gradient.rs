//! A gradient graph in ONNX: the loss of codes against images, and its slope.

use ndarray::{ArrayD, ArrayView3, ArrayView4, Axis, Ix1, Ix2, Ix3};

use crate::catalog::ModelPackage;
use crate::engine::onnx::network::Network;
use crate::engine::{Device, EngineError, GeneratorShape, Gradient, LossGradient, Runtime, SynthesisInput};

/// A network from codes and images to losses and slopes.
pub(crate) struct OnnxGradient {
    network: Network,
    with_rows: bool,
    device: Device,
}

impl OnnxGradient {
    /// Opens a gradient graph, which takes longer than any other and needs nothing but its file.
    pub(crate) fn network(runtime: &Runtime, package: &ModelPackage) -> Result<Option<Network>, EngineError> {
        let code = if package.mapping.is_some() { "w" } else { "z" };
        let open = |graph| {
            Network::open_gradient(
                runtime,
                graph,
                &[code, "target"],
                &["gradient", "loss"],
                "perceptual",
            )
        };
        package.gradient.as_ref().map(open).transpose()
    }

    /// Checks a gradient graph against its generator.
    pub(crate) fn of(
        network: Network,
        generator: &GeneratorShape,
        device: Device,
    ) -> Result<Self, EngineError> {
        let dim = generator.w_dim;
        let (rows, expected) = match generator.synthesis {
            SynthesisInput::WPlus { layers } => (Some(layers), format!("[batch, {layers}, {dim}]")),
            SynthesisInput::W | SynthesisInput::Z => (None, format!("[batch, {dim}]")),
        };
        let (height, width) = (generator.height, generator.width);
        network.check_second_input(
            &[None, Some(3), Some(height), Some(width)],
            &format!("[batch, 3, {height}, {width}], as synthesis draws, the batch open"),
        )?;
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
            device,
        })
    }
}

impl Gradient for OnnxGradient {
    fn largest_batch(&self) -> usize {
        self.device.largest_batch()
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        targets: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        let input = if self.with_rows {
            codes.into_dyn()
        } else {
            codes.index_axis_move(Axis(1), 0).into_dyn()
        };
        let outputs = self.network.run_all(&[input, targets.into_dyn()])?;
        let found = outputs[0].shape().to_vec();
        let count = codes.len_of(Axis(0));
        self.read(outputs)
            .filter(|slope| {
                let perceptual = slope.perceptual.as_ref().is_none_or(|part| part.len() == count);
                slope.gradient.dim() == codes.dim() && slope.loss.len() == count && perceptual
            })
            .map_or_else(
                || {
                    let expected = format!("{:?}, as the codes, and one loss for each", codes.dim());
                    Err(self.network.wrong_result(&found, &expected))
                },
                |slope| {
                    Ok(LossGradient {
                        loss: self.network.finite(slope.loss)?,
                        gradient: self.network.finite(slope.gradient)?,
                        perceptual: slope
                            .perceptual
                            .map(|part| self.network.finite(part))
                            .transpose()?,
                    })
                },
            )
    }
}

impl OnnxGradient {
    fn read(&self, outputs: Vec<ArrayD<f32>>) -> Option<LossGradient> {
        let mut outputs = outputs.into_iter();
        let gradient = outputs.next()?;
        let gradient = if self.with_rows {
            gradient.into_dimensionality::<Ix3>().ok()?
        } else {
            gradient.into_dimensionality::<Ix2>().ok()?.insert_axis(Axis(1))
        };
        Some(LossGradient {
            gradient,
            loss: outputs.next()?.into_dimensionality::<Ix1>().ok()?,
            perceptual: match outputs.next() {
                Some(perceptual) => Some(perceptual.into_dimensionality::<Ix1>().ok()?),
                None => None,
            },
        })
    }
}
