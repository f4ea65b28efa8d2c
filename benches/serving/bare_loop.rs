//! The bare loop: the graphs run in this process without a server, from seeds to PNG files. Its rate is the upper limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use faceplane::catalog::{Graph, ModelFiles};
use faceplane::engine::Device;
use faceplane::imaging::{FileMetadata, Image, ImageRange, PngCompression, encode_png};
use faceplane::latent::sample_z;
use ndarray::{Array2, ArrayD, ArrayView3, Axis, Ix2, Ix4};
use ort::value::{DynValue, ValueType};

use crate::bare_session::{BareRuntime, Network};
use crate::clients::{quantile, ratio};
use crate::options::Options;
use crate::report::Report;
use crate::server_process::own_cpu;

/// The name of these figures in the report.
pub(crate) const NAME: &str = "bare loop";

/// The batch sizes that are measured: all on a GPU, the first four on the CPU.
const BATCH_SIZES: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// One loop with all threads, and on the CPU one loop of one thread for each core.
pub(crate) struct BareLoop {
    multi_threaded: Loop,
    single_threaded: Vec<Loop>,
    /// The highest rate so far, in images per second, and the configuration that reached it.
    best_rate: f64,
    best_configuration: Configuration,
}

/// How the loops run.
#[derive(Clone, Copy)]
enum Configuration {
    /// One loop with all threads, and batches of this size.
    MultiThreaded(usize),
    /// One loop of one thread for each core, and batches of one image.
    SingleThreaded,
}

impl BareLoop {
    /// Opens the sessions.
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        let runtime = BareRuntime::load(&options.onnxruntime, options.device)?;
        let files = ModelFiles::read(&options.folder())?;
        let open = |threads| Loop::open(&runtime, &files, threads);
        let cores = thread::available_parallelism()?.get();
        let loops = if options.device == Device::Cpu { cores } else { 0 };
        Ok(Self {
            multi_threaded: open(options.threads.unwrap_or(cores))?,
            single_threaded: (0..loops).map(|_| open(1)).collect::<anyhow::Result<_>>()?,
            best_rate: 0.0,
            best_configuration: Configuration::MultiThreaded(1),
        })
    }

    /// The highest rate so far in any configuration, in images per second.
    pub(crate) fn best_rate(&self) -> f64 {
        self.best_rate
    }

    /// Measures each batch size, and then the loops of one thread in parallel.
    pub(crate) fn measure(&mut self, options: &Options, report: &mut Report) -> anyhow::Result<()> {
        let span = options.span().mul_f64(0.5);
        let mut rates = Vec::new();
        let sizes = match options.device {
            _ if !self.multi_threaded.dynamic_batch => 1,
            Device::Cpu => 4,
            Device::Cuda(_) => BATCH_SIZES.len(),
        };
        for &batch in &BATCH_SIZES[..sizes] {
            let cpu = own_cpu();
            let times = self.multi_threaded.measure(batch, span)?;
            let used = own_cpu() - cpu;
            let rate = rate(batch, &times);
            rates.push((rate, Configuration::MultiThreaded(batch)));
            report.number(NAME, &format!("batch {batch}: images/s"), rate);
            report.number(
                NAME,
                &format!("batch {batch}: CPU ms an image"),
                used / ratio(batch * times.len(), 1000),
            );
            report.number(NAME, &format!("batch {batch}: p50 ms"), median(times) * 1e3);
        }
        if !self.single_threaded.is_empty() {
            let rate = self.run_in_parallel(span)?;
            report.number(NAME, "a loop of one thread on each core: images/s", rate);
            rates.push((rate, Configuration::SingleThreaded));
        }
        let best = rates.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
        let (rate, configuration) = best.context("at least one batch size is measured")?;
        report.number(NAME, "images/s", rate);
        if rate > self.best_rate {
            (self.best_rate, self.best_configuration) = (rate, configuration);
        }
        Ok(())
    }

    /// Measures the best configuration again, in images per second.
    pub(crate) fn measure_best(&mut self, span: Duration) -> anyhow::Result<f64> {
        match self.best_configuration {
            Configuration::MultiThreaded(batch) => {
                Ok(rate(batch, &self.multi_threaded.measure(batch, span)?))
            }
            Configuration::SingleThreaded => self.run_in_parallel(span),
        }
    }

    /// Measures the best configuration on the CPU with its PNG files written to `folder`, each under a name of its own, in images per
    /// second.
    pub(crate) fn measure_writing(&mut self, folder: &Path, span: Duration) -> anyhow::Result<f64> {
        let all = std::iter::once(&mut self.multi_threaded).chain(&mut self.single_threaded);
        for (index, one) in all.enumerate() {
            let own = folder.join(index.to_string());
            fs::create_dir_all(&own)?;
            one.folder = Some(own);
        }
        let rate = self.measure_best(span);
        let all = std::iter::once(&mut self.multi_threaded).chain(&mut self.single_threaded);
        all.for_each(|one| one.folder = None);
        rate
    }

    /// The median time of a single image in ms. Each image is encoded before the next is synthesized.
    pub(crate) fn single_image(&mut self, span: Duration) -> anyhow::Result<f64> {
        Ok(median(self.multi_threaded.run(1, span)?) * 1e3)
    }

    /// The rate of all loops of one thread together, in images per second.
    fn run_in_parallel(&mut self, span: Duration) -> anyhow::Result<f64> {
        thread::scope(|scope| {
            let loops: Vec<_> = self
                .single_threaded
                .iter_mut()
                .map(|single| scope.spawn(move || single.run(1, span)))
                .collect();
            loops
                .into_iter()
                .map(|handle| anyhow::Ok(rate(1, &handle.join().ok().context("a loop panicked")??)))
                .sum()
        })
    }
}

/// Images per second, from the seconds that each run took.
fn rate(batch: usize, times: &[f64]) -> f64 {
    ratio(batch * times.len(), 1) / times.iter().sum::<f64>()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    quantile(&times, 0.5)
}

/// One loop over the mapping and synthesis graphs.
struct Loop {
    mapping: Option<Network>,
    synthesis: Network,
    z_dim: usize,
    /// The number of rows of a w+ code; `None` if synthesis takes w.
    layers: Option<usize>,
    dynamic_batch: bool,
    rescale: bool,
    range: ImageRange,
    seed: u32,
    device: Device,
    /// Where the files go; nowhere if it is `None`.
    folder: Option<PathBuf>,
}

impl Loop {
    fn open(runtime: &BareRuntime, files: &ModelFiles, threads: usize) -> anyhow::Result<Self> {
        let network = |graph: &Graph| runtime.network(graph, threads);
        let synthesis = network(&files.synthesis)?;
        let mapping = files.mapping.as_ref().map(network).transpose()?;
        let axes = axes(&synthesis)?;
        let layers = (axes.len() == 3).then(|| axes[1]).flatten();
        let codes = mapping.as_ref().map_or(Ok(axes.clone()), self::axes)?;
        let [black, white] = files.manifest.generator.image_range;
        Ok(Self {
            dynamic_batch: axes[0].is_none(),
            mapping,
            synthesis,
            layers,
            z_dim: codes.last().copied().flatten().context("the length of z")?,
            rescale: files.manifest.generator.rescale_z,
            range: ImageRange::new(black, white).context("image_range")?,
            seed: 0,
            device: runtime.device,
            folder: None,
        })
    }

    /// Synthesizes and encodes for `span` as fast as the device can, and returns the seconds of each run.
    fn measure(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        match self.device {
            Device::Cpu => self.run(batch, span),
            Device::Cuda(_) => self.run_overlapped(batch, span),
        }
    }

    /// Synthesizes and encodes for `span`, one batch after the other, and returns the seconds of each run.
    fn run(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        self.run_once(batch)?;
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < span || times.is_empty() {
            let run = Instant::now();
            self.run_once(batch)?;
            times.push(run.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// Synthesizes for `span` on a GPU. During each run, up to one thread per core encodes the images of the run before from
    /// pinned memory. Returns the seconds of each run, or of the encoding if that takes longer.
    fn run_overlapped(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        let (range, images_per_thread) = (self.range, batch.div_ceil(thread::available_parallelism()?.get()));
        let mut last = self.images(batch)?;
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < span || times.is_empty() {
            let run = Instant::now();
            let images = last.try_extract_array::<f32>()?.into_dimensionality::<Ix4>()?;
            let next = thread::scope(|scope| {
                let encoders: Vec<_> = images
                    .axis_chunks_iter(Axis(0), images_per_thread)
                    .map(|images| {
                        scope.spawn(move || {
                            images
                                .outer_iter()
                                .try_for_each(|image| encode(image, range).map(drop))
                        })
                    })
                    .collect();
                let next = self.images(batch)?;
                for encoder in encoders {
                    encoder.join().ok().context("an encoding thread panicked")??;
                }
                anyhow::Ok(next)
            })?;
            last = next;
            times.push(run.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// Makes one batch, from seeds to PNG files.
    fn run_once(&mut self, batch: usize) -> anyhow::Result<()> {
        let codes = self.codes(batch)?;
        let images = self.synthesis.run(codes.view())?.into_dimensionality::<Ix4>()?;
        for (image, offset) in images.outer_iter().zip(0..) {
            let file = encode(image, self.range)?;
            if let Some(folder) = &self.folder {
                fs::write(folder.join(format!("{}.png", self.seed - offset)), file)?;
            }
        }
        Ok(())
    }

    /// Makes one batch, from seeds to image tensors.
    fn images(&mut self, batch: usize) -> anyhow::Result<DynValue> {
        let codes = self.codes(batch)?;
        self.synthesis.value(codes.view())
    }

    /// The codes of the next seeds, in the space that synthesis takes.
    fn codes(&mut self, batch: usize) -> anyhow::Result<ArrayD<f32>> {
        let mut z = Array2::zeros((batch, self.z_dim));
        for mut row in z.outer_iter_mut() {
            self.seed += 1;
            let code = sample_z(self.seed, self.z_dim, self.rescale)?;
            row.assign(&code.values().index_axis(Axis(0), 0));
        }
        let w = match &mut self.mapping {
            Some(mapping) => mapping.run(z.view().into_dyn())?.into_dimensionality::<Ix2>()?,
            None => z,
        };
        let Some(layers) = self.layers else {
            return Ok(w.into_dyn());
        };
        let rows = w.view().insert_axis(Axis(1));
        let all = rows.broadcast((batch, layers, w.len_of(Axis(1))));
        Ok(all.context("one row is repeated")?.to_owned().into_dyn())
    }
}

/// Encodes an image as a PNG file.
fn encode(image: ArrayView3<'_, f32>, range: ImageRange) -> anyhow::Result<Vec<u8>> {
    let image = Image::from_tensor(image, range)?;
    let file = encode_png(&image, PngCompression::Fast, &FileMetadata::default())?;
    Ok(std::hint::black_box(file))
}

/// The sizes of the input's axes; `None` for a dynamic axis.
fn axes(network: &Network) -> anyhow::Result<Vec<Option<usize>>> {
    let input = network.session.inputs().first();
    let ValueType::Tensor { shape, .. } = input.context("a graph has an input")?.dtype() else {
        anyhow::bail!("the input of the graph is not a tensor");
    };
    Ok(shape.iter().map(|&axis| usize::try_from(axis).ok()).collect())
}
