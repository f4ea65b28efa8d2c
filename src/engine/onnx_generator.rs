//! A generator whose mapping and synthesis are ONNX graphs.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array3, Array4, ArrayView3, Axis, Ix4, Slice, concatenate};

use super::network::Network;
use super::onnx_mapping::OnnxMapping;
use super::{Device, EngineError, Generator, GeneratorShape, Mapping as _, Runtime, SynthesisInput};
use crate::catalog::ModelPackage;

/// A larger batch is used where it takes at most this much of the smaller one's time for each image.
const WORTH_IT: f64 = 0.95;

/// Runs longer than this are tried but twice, for the first one makes room; and those of one image, of which opening has made one,
/// but once.
pub(super) const LONG_RUN: Duration = Duration::from_millis(250);

/// No larger batch is tried after one that took this long: people would wait for it.
const LONGEST_BATCH: Duration = Duration::from_secs(1);

/// Runs of each way that is tried.
pub(super) const RUNS: usize = 4;

/// The synthesis graph.
pub(super) struct OnnxGenerator {
    synthesis: Network,
    shape: GeneratorShape,
    device: Device,
}

impl OnnxGenerator {
    /// Opens a package's synthesis, checks it against the mapping, and draws one face to learn the picture's size.
    pub(super) fn open(
        runtime: &Runtime,
        package: &ModelPackage,
        mapping: Option<&mut OnnxMapping>,
    ) -> Result<Self, EngineError> {
        let synthesis = Self::network(runtime, package)?;
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
            device,
        };
        generator.learn_size(mapping)?;
        Ok(generator)
    }

    /// A package's synthesis graph.
    pub(super) fn network(runtime: &Runtime, package: &ModelPackage) -> Result<Network, EngineError> {
        Network::open(runtime, &package.synthesis, "image")
    }

    /// The same generator once more, with a synthesis graph of its own.
    pub(super) fn replica(&self, synthesis: Network) -> Self {
        Self {
            synthesis,
            shape: self.shape.clone(),
            device: self.device,
        }
    }

    /// Makes the largest of the batches 1, 2, 4, … that is worth it the largest batch, by runs of each.
    pub(super) fn choose_batch(&mut self) -> Result<(), EngineError> {
        let (mut best, mut least) = (1, f64::INFINITY);
        let mut batch = 1;
        while batch <= self.shape.largest_batch {
            let taken = self.least_time(batch)?;
            #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
            let each = taken.as_secs_f64() / batch as f64;
            if each > WORTH_IT * least {
                break;
            }
            (best, least) = (batch, each);
            if taken > LONGEST_BATCH {
                break;
            }
            batch *= 2;
        }
        self.shape.largest_batch = best;
        Ok(())
    }

    /// The least time of some runs of a batch: whatever else the machine does makes a run longer, never shorter.
    pub(super) fn least_time(&mut self, batch: usize) -> Result<Duration, EngineError> {
        let mut least = Duration::MAX;
        for run in 0..RUNS {
            least = least.min(self.time(batch)?);
            if least > LONG_RUN && (run > 0 || batch == 1) {
                break;
            }
        }
        Ok(least)
    }

    /// The time of one run of a batch. The first of its size takes longer, for it makes room.
    pub(super) fn time(&mut self, batch: usize) -> Result<Duration, EngineError> {
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
        let (_, channels, height, width) = image.dim();
        if channels != 3 {
            return Err(self.synthesis.wrong_output("[batch, 3, height, width], RGB"));
        }
        (self.shape.height, self.shape.width) = (height, width);
        Ok(())
    }
}

impl Generator for OnnxGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = codes.len_of(Axis(0));
        let size = self.device.padded(images);
        let drawn = if size == images {
            self.run(codes)?
        } else {
            let last = codes.slice_axis(Axis(0), Slice::from(images - 1..));
            let mut padded = vec![codes];
            padded.resize(1 + size - images, last);
            let padded = concatenate(Axis(0), &padded).expect("codes of one generator have one shape");
            let mut drawn = self.run(padded.view())?;
            drawn.slice_axis_inplace(Axis(0), Slice::from(..images));
            drawn
        };
        Ok(drawn)
    }
}

impl OnnxGenerator {
    fn run(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = match self.shape.synthesis {
            SynthesisInput::WPlus { .. } => self.synthesis.run(codes),
            SynthesisInput::Z | SynthesisInput::W => self.synthesis.run(codes.index_axis(Axis(1), 0)),
        }?;
        match images.into_dimensionality::<Ix4>() {
            Ok(images) if images.len_of(Axis(0)) == codes.len_of(Axis(0)) => Ok(images),
            _ => Err(self.synthesis.wrong_output("[batch, 3, height, width]")),
        }
    }
}
