//! A generator in ONNX: its synthesis network, and the search for its batch size.

use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, Array4, ArrayD, ArrayView2, ArrayView3, Axis, Ix4};

use crate::catalog::{Graph, ModelFiles};
use crate::engine::batching::batch_size::LONG_RUN;
use crate::engine::onnx::mapping::OnnxMapping;
use crate::engine::onnx::network::Network;
use crate::engine::onnx::styles::{OnnxStyles, StyleSource};
use crate::engine::{
    BatchSize, Device, EngineError, Generator, GeneratorShape, Mapping as _, Runtime, StyleMapping as _,
    SynthesisInput,
};
use crate::latent::sample_z;

/// Largest difference between the images of a code and of its styles, as a share of the range of the image's values: half a level.
const SAME_IMAGE: f32 = 0.002;

/// A synthesis graph: w or w+ (or z, if there is no mapping) → image.
pub(crate) struct OnnxGenerator {
    synthesis: Network,
    /// Where the graphs of the styles come from, if the synthesis graph has styles.
    styles: Option<StyleSource>,
    /// styles → image, once it has been needed.
    from_styles: Option<Result<Network, EngineError>>,
    shape: GeneratorShape,
    /// Shared by all replicas.
    batch_size: BatchSize,
    device: Device,
}

impl OnnxGenerator {
    /// Opens a model's synthesis graph, and checks it against the mapping. The first faces, at least one, are synthesized: they show the
    /// size of the images, which many graphs leave open, and whether their values are finite.
    pub(crate) fn open(
        runtime: &Runtime,
        files: &ModelFiles,
        mapping: Option<&mut OnnxMapping>,
        first_faces: usize,
    ) -> Result<Self, EngineError> {
        let synthesis = Self::open_network(runtime, &files.synthesis)?;
        let expected = match mapping {
            Some(_) => "[batch, dim] for w, or [batch, layers, dim] for w+",
            None => "[batch, dim] for z, because the manifest names no generator.mapping",
        };
        let (batch, w_dim, input) = match (synthesis.input_axes(), &mapping) {
            (&[batch, Some(dim)], None) => (batch, dim, SynthesisInput::Z),
            (&[batch, Some(dim)], Some(_)) => (batch, dim, SynthesisInput::W),
            (&[batch, Some(layers), Some(dim)], Some(_)) => (batch, dim, SynthesisInput::WPlus { layers }),
            _ => return Err(synthesis.input_error(expected)),
        };
        let device = runtime.device();
        let largest_batch = batch.unwrap_or(device.largest_batch()).max(1);
        let z_dim = mapping.as_ref().map_or(w_dim, |mapping| mapping.z_dim());
        if let Some(mapping) = &mapping {
            mapping.check_w_dim(w_dim)?;
        }
        let styles = match &mapping {
            Some(_) => StyleSource::find(runtime, files, w_dim).map_err(|error| error.to_string()),
            None => Err("it has no mapping, and styles are made of w codes".to_owned()),
        };
        let shape = GeneratorShape {
            z_dim,
            w_dim,
            synthesis: input,
            height: 0,
            width: 0,
            largest_batch,
            styles: styles.as_ref().map(StyleSource::channels).map_err(String::clone),
        };
        let mut generator = Self {
            synthesis,
            styles: styles.ok(),
            from_styles: None,
            shape,
            // A fixed batch takes as long for one image as for all.
            batch_size: batch.map_or_else(
                || BatchSize::up_to(largest_batch),
                |_| BatchSize::settled(largest_batch),
            ),
            device,
        };
        match *generator.synthesis.output_axes() {
            // ONNX Runtime says that there are no axes if it does not know them.
            [] | [_, Some(3) | None, _, _] => {}
            _ => return Err(generator.synthesis.output_error("[batch, 3, height, width], RGB")),
        }
        generator.synthesize_first_faces(files, mapping, first_faces)?;
        Ok(generator)
    }

    /// Opens a session of a synthesis graph.
    pub(crate) fn open_network(runtime: &Runtime, synthesis: &Graph) -> Result<Network, EngineError> {
        Network::open(runtime, synthesis, "image")
    }

    /// A function that makes a replica of this generator from another session of its graph.
    pub(crate) fn replica(&self) -> impl Fn(Network) -> Self + Send + use<> {
        let (shape, batch_size, device) = (self.shape.clone(), self.batch_size.clone(), self.device);
        let styles = self.styles.clone();
        move |synthesis| Self {
            synthesis,
            styles: styles.clone(),
            from_styles: None,
            shape: shape.clone(),
            batch_size: batch_size.clone(),
            device,
        }
    }

    /// Searches the batch size with runs of 1, 2, 4, … images. There is at least one run, which shows that the graph works.
    ///
    /// On the CPU, the search stops after a run of more than [`LONG_RUN`], and the runs of requests continue it. On a GPU, it
    /// goes on, because each batch size needs a session and kernels of its own, which no request should wait for. A size that
    /// does not fit in memory ends it.
    pub(crate) fn search_batch_size(&mut self) -> Result<(), EngineError> {
        loop {
            let batch = self.batch_size.largest();
            let run = match self.measure_run(batch) {
                Err(_) if self.batch_size.give_up(batch) => return Ok(()),
                run => run?,
            };
            self.batch_size.note(batch, run);
            if self.batch_size.is_settled() || (run > LONG_RUN && self.device == Device::Cpu) {
                return Ok(());
            }
        }
    }

    /// The duration of one run of a batch. The first run of a batch size takes longer, because it allocates memory.
    pub(crate) fn measure_run(&mut self, batch: usize) -> Result<Duration, EngineError> {
        let codes = Array3::zeros((batch, self.shape.synthesis_rows(), self.shape.w_dim));
        let started = Instant::now();
        self.synthesize(codes.view())?;
        Ok(started.elapsed())
    }

    /// Synthesizes the faces of the first seeds, takes their height and width, and checks that all values are finite.
    fn synthesize_first_faces(
        &mut self,
        files: &ModelFiles,
        mapping: Option<&mut OnnxMapping>,
        faces: usize,
    ) -> Result<(), EngineError> {
        let mut z = Array2::zeros((faces, self.shape.z_dim));
        for (seed, mut row) in (0..).zip(z.rows_mut()) {
            let sampled = sample_z(seed, self.shape.z_dim, files.manifest.generator.rescale_z)
                .map_err(|_| self.synthesis.input_error("codes of at least one value"))?;
            row.assign(&sampled.values().row(0));
        }
        let rows = match mapping {
            Some(mapping) => {
                let classes = mapping.classes();
                let class = |(face, class): (usize, usize)| f32::from(u8::from(face % classes == class));
                let labels = (classes > 0).then(|| Array2::from_shape_fn((faces, classes), class));
                mapping.map(z.view(), labels.as_ref().map(|labels| labels.view()))?
            }
            None => z,
        };
        for (seed, row) in rows.rows().into_iter().enumerate() {
            let code = row.broadcast((1, self.shape.synthesis_rows(), self.shape.w_dim));
            let image = self.synthesize(code.expect("one row is repeated"))?;
            if image.iter().any(|value| !value.is_finite()) {
                return Err(EngineError::BrokenFace {
                    file: files.synthesis.file.clone(),
                    seed,
                });
            }
            (_, _, self.shape.height, self.shape.width) = image.dim();
        }
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
        self.checked(images, codes.len_of(Axis(0)))
    }

    fn synthesize_styles(&mut self, styles: ArrayView2<'_, f32>) -> Result<Array4<f32>, EngineError> {
        if self.from_styles.is_none() {
            self.from_styles = Some(self.open_from_styles());
        }
        let opened = self.from_styles.as_mut().expect("it was opened above");
        let network = opened.as_mut().map_err(|error| error.clone())?;
        let images = network.run(styles)?;
        self.checked(images, styles.nrows())
    }
}

impl OnnxGenerator {
    /// The affine layers before the styles, if the synthesis graph has styles.
    pub(crate) fn style_mapping(&self) -> Option<OnnxStyles> {
        let source = self.styles.clone()?;
        Some(OnnxStyles::new(source, self.shape.synthesis))
    }

    /// Opens the graph from styles to images, and checks on a code that it makes the image that synthesis makes.
    fn open_from_styles(&mut self) -> Result<Network, EngineError> {
        let source = self
            .styles
            .clone()
            .expect("only a generator with styles gets styles");
        let refused = |reason: &str| source.refused(reason);
        let started = Instant::now();
        let mut network = source.open_synthesis()?;
        let (rows, dim) = (self.shape.synthesis_rows(), self.shape.w_dim);
        let code = sample_z(0, dim, false).map_err(|error| refused(&error.to_string()))?;
        let code = code.values().view().insert_axis(Axis(0));
        let code = code.broadcast((1, rows, dim)).expect("one row is repeated");
        let styles = OnnxStyles::new(source.clone(), self.shape.synthesis).styles(code)?;
        let (from_styles, from_code) = (network.run(styles.view())?, self.synthesize(code)?);
        let from_styles = self.checked(from_styles, 1)?;
        let (low, high) = from_code
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
        // A NaN is a difference too.
        let is_same = |value: &f32| value.abs() <= SAME_IMAGE * (high - low);
        if !(from_styles - from_code).iter().all(is_same) {
            return Err(refused("the image of a code's styles is not the code's image"));
        }
        tracing::info!(
            seconds = started.elapsed().as_secs_f64(),
            "the synthesis from styles is open"
        );
        Ok(network)
    }

    /// The images of a run, if they have the right shape.
    fn checked(&self, images: ArrayD<f32>, count: usize) -> Result<Array4<f32>, EngineError> {
        let (height, width) = (self.shape.height, self.shape.width);
        let expected = match *images.shape() {
            // The image size is not known before the first run of a graph that leaves it open.
            [_, _, height, width] if self.shape.height == 0 => [count, 3, height, width],
            _ => [count, 3, height, width],
        };
        if *images.shape() != expected {
            let expected = format!("{expected:?}, RGB");
            return Err(self.synthesis.result_error(images.shape(), &expected));
        }
        Ok(images
            .into_dimensionality::<Ix4>()
            .expect("images have four axes"))
    }
}
