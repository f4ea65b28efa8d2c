//! A generator whose mapping and synthesis are ONNX graphs.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array2, Array3, Array4, ArrayView2, ArrayView3, Axis, Ix2, Ix4};

use super::network::Network;
use super::{EngineError, Generator, GeneratorShape, Runtime, SynthesisInput};
use crate::catalog::ModelPackage;

/// Most images in one run where the graph's batch is open: enough to fill the cores, few enough to take turns.
const LARGEST_BATCH: usize = 8;

/// A larger batch is used where it takes at most this much of the smaller one's time for each image.
const WORTH_IT: f64 = 0.95;

/// No larger batch is tried after a run that takes longer: people would wait for it too long.
const LONG_RUN: Duration = Duration::from_millis(250);

/// Mapping (where there is one) and synthesis.
pub(super) struct OnnxGenerator {
    mapping: Option<Network>,
    synthesis: Network,
    shape: GeneratorShape,
}

impl OnnxGenerator {
    /// Opens a package's graphs, checks them against each other, and draws one face to learn the picture's size.
    pub(super) fn open(runtime: &Runtime, package: &ModelPackage) -> Result<Self, EngineError> {
        let mapping = package
            .mapping
            .as_ref()
            .map(|graph| Network::open(runtime, graph, "w"))
            .transpose()?;
        let synthesis = Network::open(runtime, &package.synthesis, "image")?;
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
        let mut largest_batch =
            one_or_open(batch).ok_or_else(|| synthesis.wrong_input("a batch that is open, or 1"))?;
        let mut z_dim = w_dim;
        if let Some(mapping) = &mapping {
            let &[batch, Some(dim)] = mapping.input_axes() else {
                return Err(mapping.wrong_input("[batch, dim] for z"));
            };
            let &[_, Some(mapped)] = mapping.output_axes() else {
                return Err(mapping.wrong_output("[batch, dim] for w, before it is repeated for layers"));
            };
            if mapped != w_dim {
                return Err(mapping.wrong_output(&format!("[batch, {w_dim}], which synthesis takes")));
            }
            let mapped_at_once =
                one_or_open(batch).ok_or_else(|| mapping.wrong_input("a batch that is open, or 1"))?;
            largest_batch = largest_batch.min(mapped_at_once);
            z_dim = dim;
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
            mapping,
            synthesis,
            shape,
        };
        generator.learn_size()?;
        generator.shape.largest_batch = generator.worthwhile_batch()?;
        Ok(generator)
    }

    /// The largest of the batches 1, 2, 4, … that is worth it on this device, by a run of each.
    fn worthwhile_batch(&mut self) -> Result<usize, EngineError> {
        let rows = if let SynthesisInput::WPlus { layers } = self.shape.synthesis {
            layers
        } else {
            1
        };
        let (mut best, mut least) = (1, f64::INFINITY);
        let mut batch = 1;
        while batch <= self.shape.largest_batch {
            let codes = Array3::zeros((batch, rows, self.shape.w_dim));
            // The first run of a size makes room for it.
            self.synthesize(codes.view())?;
            let started = Instant::now();
            self.synthesize(codes.view())?;
            let taken = started.elapsed();
            #[expect(clippy::cast_precision_loss, reason = "a batch is a small number")]
            let each = taken.as_secs_f64() / batch as f64;
            if each > WORTH_IT * least {
                break;
            }
            (best, least) = (batch, each);
            if taken > LONG_RUN {
                break;
            }
            batch *= 2;
        }
        tracing::debug!(
            batch = best,
            milliseconds = least * 1e3,
            file = self.synthesis.file(),
            "largest batch"
        );
        Ok(best)
    }

    fn learn_size(&mut self) -> Result<(), EngineError> {
        let z = Array1::linspace(-1.0, 1.0, self.shape.z_dim).insert_axis(Axis(0));
        let row = if self.shape.has_mapping() {
            self.map(z.view())?
        } else {
            z
        };
        let rows = if let SynthesisInput::WPlus { layers } = self.shape.synthesis {
            layers
        } else {
            1
        };
        let code = row.insert_axis(Axis(1));
        let code = code
            .broadcast((1, rows, self.shape.w_dim))
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

    fn map(&mut self, z: ArrayView2<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let mapping = self
            .mapping
            .as_mut()
            .expect("only called where the shape has a mapping");
        let w = mapping.run(z)?.into_dimensionality::<Ix2>();
        w.map_err(|_| mapping.wrong_output("[batch, dim]"))
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let images = match self.shape.synthesis {
            SynthesisInput::WPlus { .. } => self.synthesis.run(codes),
            SynthesisInput::Z | SynthesisInput::W => self.synthesis.run(codes.index_axis(Axis(1), 0)),
        }?;
        let frames = codes.len_of(Axis(0));
        match images.into_dimensionality::<Ix4>() {
            Ok(images) if images.len_of(Axis(0)) == frames => Ok(images),
            _ => Err(self.synthesis.wrong_output("[batch, 3, height, width]")),
        }
    }
}

/// The largest batch of a graph whose batch axis is open or 1.
fn one_or_open(batch: Option<usize>) -> Option<usize> {
    match batch {
        None => Some(LARGEST_BATCH),
        Some(1) => Some(1),
        Some(_) => None,
    }
}
