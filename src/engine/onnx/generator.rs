//! A generator whose mapping and synthesis are ONNX graphs.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array3, Array4, ArrayView3, Axis, Ix4};

use crate::catalog::{Graph, ModelPackage};
use crate::engine::batching::batch_size::LONG_RUN;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::network::Network;
use crate::engine::{
    BatchSize, Device, EngineError, Generator, GeneratorShape, Mapping as _, Runtime, SynthesisInput,
};

/// The synthesis graph.
pub(crate) struct OnnxGenerator {
    synthesis: Network,
    shape: GeneratorShape,
    batch_size: BatchSize,
    device: Device,
}

impl OnnxGenerator {
    /// Opens a package's synthesis, and checks it against the mapping. Where the graph does not say how large its pictures are, it draws
    /// one.
    pub(crate) fn open(
        runtime: &Runtime,
        package: &ModelPackage,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let synthesis = Self::network(runtime, &package.synthesis)?;
        let expected = match mapping {
            Some(_) => "[batch, dim] for w, or [batch, layers, dim] for w+",
            None => "[batch, dim], as the manifest names no generator.mapping",
        };
        let (batch, w_dim, input) = match (synthesis.input_axes(), &mapping) {
            (&[batch, Some(dim)], None) => (batch, dim, SynthesisInput::Z),
            (&[batch, Some(dim)], Some(_)) => (batch, dim, SynthesisInput::W),
            (&[batch, Some(layers), Some(dim)], Some(_)) => (batch, dim, SynthesisInput::WPlus { layers }),
            _ => return Err(synthesis.wrong_input(expected)),
        };
        let device = runtime.device();
        let largest_batch = match batch {
            None => device.largest_batch(),
            Some(1) => 1,
            Some(_) => return Err(synthesis.wrong_input("a batch that is open, or 1")),
        };
        let z_dim = mapping.as_ref().map_or(w_dim, |mapping| mapping.z_dim());
        if let Some(mapping) = &mapping {
            mapping.check_w_dim(w_dim)?;
        }
        let shape = GeneratorShape {
            z_dim,
            w_dim,
            synthesis: input,
            height: 0,
            width: 0,
            largest_batch,
        };
        let mut generator = Self {
            synthesis,
            shape,
            batch_size: BatchSize::up_to(largest_batch),
            device,
        };
        match *generator.synthesis.output_axes() {
            [_, Some(3), Some(height), Some(width)] => {
                (generator.shape.height, generator.shape.width) = (height, width);
            }
            [_, Some(3) | None, _, _] => generator.learn_size(mapping)?,
            _ => return Err(generator.synthesis.wrong_output("[batch, 3, height, width], RGB")),
        }
        Ok(generator)
    }

    /// A synthesis graph.
    pub(crate) fn network(runtime: &Runtime, synthesis: &Graph) -> Result<Network, EngineError> {
        Network::open(runtime, synthesis, "image")
    }

    /// What makes the same generator once more of another session of its graph.
    pub(crate) fn replica(&self) -> impl Fn(Network) -> Self + Send + use<> {
        let (shape, batch_size, device) = (self.shape.clone(), self.batch_size.clone(), self.device);
        move |synthesis| Self {
            synthesis,
            shape: shape.clone(),
            batch_size: batch_size.clone(),
            device,
        }
    }

    /// Finds how many images a run should hold, as far as short runs tell; there is one run at least, which shows that the graph draws.
    /// A GPU makes itself ready for each size besides, and so is given all of them, as far as its memory holds them.
    pub(crate) fn choose_batch(&mut self) -> Result<(), EngineError> {
        loop {
            let batch = self.batch_size.largest();
            let run = match self.time(batch) {
                Err(_) if self.batch_size.give_up(batch) => return Ok(()),
                run => run?,
            };
            self.batch_size.note(batch, run);
            if self.batch_size.is_settled() || (run > LONG_RUN && self.device == Device::Cpu) {
                return Ok(());
            }
        }
    }

    /// The time of one run of a batch. The first of its size takes longer, for it makes room.
    pub(crate) fn time(&mut self, batch: usize) -> Result<Duration, EngineError> {
        let codes = Array3::zeros((batch, self.rows(), self.shape.w_dim));
        let started = Instant::now();
        self.synthesize(codes.view())?;
        Ok(started.elapsed())
    }

    /// Rows of a code as synthesis takes it.
    fn rows(&self) -> usize {
        if let SynthesisInput::WPlus { layers } = self.shape.synthesis {
            layers
        } else {
            1
        }
    }

    fn learn_size(&mut self, mapping: Option<&mut OnnxMapping>) -> Result<(), EngineError> {
        let z = Array1::linspace(-1.0, 1.0, self.shape.z_dim).insert_axis(Axis(0));
        let row = match mapping {
            Some(mapping) => mapping.map(z.view())?,
            None => z,
        };
        let code = row.insert_axis(Axis(1));
        let code = code
            .broadcast((1, self.rows(), self.shape.w_dim))
            .expect("one row is repeated");
        let image = self.synthesize(code)?;
        (_, _, self.shape.height, self.shape.width) = image.dim();
        Ok(())
    }
}

impl Generator for OnnxGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn batch_size(&self) -> BatchSize {
        self.batch_size.clone()
    }

    fn is_on_cpu(&self) -> bool {
        self.device == Device::Cpu
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = match self.shape.synthesis {
            SynthesisInput::WPlus { .. } => self.synthesis.run(codes),
            SynthesisInput::Z | SynthesisInput::W => self.synthesis.run(codes.index_axis(Axis(1), 0)),
        }?;
        let (count, height, width) = (codes.len_of(Axis(0)), self.shape.height, self.shape.width);
        // The first picture of a graph that leaves its size open tells it.
        let expected = match *images.shape() {
            [_, _, height, width] if self.shape.height == 0 => [count, 3, height, width],
            _ => [count, 3, height, width],
        };
        if *images.shape() != expected {
            let expected = format!("{expected:?}, RGB");
            return Err(self.synthesis.wrong_result(images.shape(), &expected));
        }
        Ok(images.into_dimensionality::<Ix4>().expect("it has four axes"))
    }
}
