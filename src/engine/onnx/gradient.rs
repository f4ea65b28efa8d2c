//! A gradient network in ONNX.

use ndarray::{ArrayD, ArrayView3, ArrayView4, Axis, Ix1, Ix2, Ix3};

use crate::catalog::{GradientSource, ModelFiles};
use crate::engine::onnx::derived_gradient::derive;
use crate::engine::onnx::network::Network;
use crate::engine::{Device, EngineError, GeneratorShape, Gradient, LossGradient, Runtime, SynthesisInput};

/// Most pixels in a batch on the CPU: one image of 256×256. Larger batches need more memory, and are slower. Measured on two cores
/// with the bundled model and eight inversions at once: 84 ms a step and 0.4 GB with one image in a run, 180 ms and 1.4 GB with eight.
const BATCH_PIXELS: usize = 256 * 256;

/// Most codes in a run of a gradient graph on the CPU.
pub(crate) fn largest_cpu_batch(generator: &GeneratorShape) -> usize {
    let pixels = generator.height * generator.width;
    (BATCH_PIXELS / pixels.max(1)).clamp(1, Device::Cpu.largest_batch())
}

/// A gradient graph: codes and target images → losses and their gradients.
pub(crate) struct OnnxGradient {
    network: Network,
    /// Whether codes have an axis for rows in the graph, because synthesis takes w+.
    has_rows: bool,
    largest_batch: usize,
}

impl OnnxGradient {
    /// Opens a model's gradient graph, if it has one, or derives it. This needs nothing but the model's files, so that the other graphs can be
    /// opened at the same time; [`new`](Self::new) checks it later.
    pub(crate) fn open_network(
        runtime: &Runtime,
        files: &ModelFiles,
    ) -> Result<Option<Network>, EngineError> {
        let code = if files.mapping.is_some() { "w" } else { "z" };
        let graph = match &files.gradient {
            None => return Ok(None),
            Some(GradientSource::Stored(graph)) => graph.clone(),
            Some(GradientSource::Derived {
                features,
                is_required,
            }) => derive(files, code, features.as_ref(), *is_required)?,
        };
        Network::open_gradient(
            runtime,
            &graph,
            &[code, "target"],
            &["gradient", "loss"],
            Some("perceptual"),
        )
        .map(Some)
    }

    /// Checks an open gradient graph against its generator.
    pub(crate) fn new(
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
            &format!("[batch, 3, {height}, {width}], the size of the generator's images, with an open batch"),
        )?;
        let fits = match (network.input_axes(), rows) {
            (&[None, Some(layers), Some(found)], Some(rows)) => (layers, found) == (rows, dim),
            (&[None, Some(found)], None) => found == dim,
            _ => false,
        };
        if !fits {
            return Err(network.input_error(&format!(
                "{expected}, the codes that synthesis takes, with an open batch"
            )));
        }
        let largest_batch = match device {
            Device::Cpu => largest_cpu_batch(generator),
            Device::Cuda(_) => device.largest_batch(),
        };
        Ok(Self {
            network,
            has_rows: rows.is_some(),
            largest_batch,
        })
    }

    /// The outputs of a run. `None` if an output has the wrong number of axes.
    fn read(&self, outputs: Vec<ArrayD<f32>>) -> Option<LossGradient> {
        let mut outputs = outputs.into_iter();
        let gradient = outputs.next()?;
        let gradient = if self.has_rows {
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

impl Gradient for OnnxGradient {
    fn largest_batch(&self) -> usize {
        self.largest_batch
    }

    fn loss_gradient(
        &mut self,
        codes: ArrayView3<'_, f32>,
        targets: ArrayView4<'_, f32>,
    ) -> Result<LossGradient, EngineError> {
        let input = if self.has_rows {
            codes.into_dyn()
        } else {
            codes.index_axis_move(Axis(1), 0).into_dyn()
        };
        let outputs = self.network.run_all(&[input, targets.into_dyn()])?;
        let shape = outputs[0].shape().to_vec();
        let count = codes.len_of(Axis(0));
        let fits = |output: &LossGradient| {
            let perceptual = output.perceptual.as_ref();
            output.gradient.dim() == codes.dim()
                && output.loss.len() == count
                && perceptual.is_none_or(|perceptual| perceptual.len() == count)
        };
        let Some(output) = self.read(outputs).filter(fits) else {
            let expected = format!(
                "{:?}, the shape of the codes, and one loss for each code",
                codes.dim()
            );
            return Err(self.network.result_error(&shape, &expected));
        };
        Ok(output.without_broken())
    }
}
