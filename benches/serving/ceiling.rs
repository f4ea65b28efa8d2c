//! The ceiling: a bare loop over the graphs in one process, from codes to PNG files.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use faceplane::catalog::{Graph, ModelFiles};
use faceplane::engine::Device;
use faceplane::imaging::{Compression, Image, ImageRange, encode_png};
use faceplane::latent::sample_z;
use ndarray::{Array2, ArrayD, ArrayView3, Axis, Ix2, Ix4};
use ort::value::{DynValue, ValueType};

use crate::bare::{Network, Place};
use crate::load::{quantile, ratio};
use crate::options::Options;
use crate::process::own_cpu;
use crate::report::Report;

/// The name of these figures.
pub(crate) const NAME: &str = "bare loop";

/// The batches tried: the last two on a GPU only.
const BATCHES: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Loops over the graphs: one that has all threads, and, on the processor, one for each core that has one.
pub(crate) struct Ceiling {
    wide: Loop,
    narrow: Vec<Loop>,
    best: f64,
    way: Way,
}

/// How the most images a second were drawn.
#[derive(Clone, Copy)]
enum Way {
    /// So many in one run, with all threads.
    Wide(usize),
    /// One in a run, a loop of one thread on each core.
    Narrow,
}

impl Ceiling {
    /// Opens the sessions.
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        let place = Place::load(&options.onnxruntime, options.device)?;
        let files = ModelFiles::read(&options.folder())?;
        let open = |threads| Loop::open(&place, &files, threads);
        let cores = thread::available_parallelism()?.get();
        let narrow = if options.device == Device::Cpu { cores } else { 0 };
        Ok(Self {
            wide: open(options.threads.unwrap_or(cores))?,
            narrow: (0..narrow).map(|_| open(1)).collect::<anyhow::Result<_>>()?,
            best: 0.0,
            way: Way::Wide(1),
        })
    }

    /// The most images a second so far, in any of these ways.
    pub(crate) fn best(&self) -> f64 {
        self.best
    }

    /// Measures each batch, and the loops side by side.
    pub(crate) fn measure(&mut self, options: &Options, report: &mut Report) -> anyhow::Result<()> {
        let span = options.span().mul_f64(0.5);
        let mut found = Vec::new();
        let sizes = match options.device {
            _ if !self.wide.open_batch => 1,
            Device::Cpu => 4,
            Device::Cuda(_) => BATCHES.len(),
        };
        for &batch in &BATCHES[..sizes] {
            let cpu = own_cpu();
            let times = self.wide.go(batch, span)?;
            let used = own_cpu() - cpu;
            let rate = rate(batch, &times);
            found.push((rate, Way::Wide(batch)));
            report.number(NAME, &format!("batch {batch}: images/s"), rate);
            report.number(
                NAME,
                &format!("batch {batch}: CPU ms an image"),
                used / ratio(batch * times.len(), 1000),
            );
            report.number(NAME, &format!("batch {batch}: p50 ms"), median(times) * 1e3);
        }
        if !self.narrow.is_empty() {
            let narrow = self.side_by_side(span)?;
            report.number(NAME, "a loop of one thread on each core: images/s", narrow);
            found.push((narrow, Way::Narrow));
        }
        let best = found.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
        let (best, way) = best.context("something was measured")?;
        report.number(NAME, "images/s", best);
        if best > self.best {
            (self.best, self.way) = (best, way);
        }
        Ok(())
    }

    /// Images a second once more, in the way that was best.
    pub(crate) fn again(&mut self, span: Duration) -> anyhow::Result<f64> {
        match self.way {
            Way::Wide(batch) => Ok(rate(batch, &self.wide.go(batch, span)?)),
            Way::Narrow => self.side_by_side(span),
        }
    }

    /// The median milliseconds of one image after the other, each encoded before the next is drawn.
    pub(crate) fn alone(&mut self, span: Duration) -> anyhow::Result<f64> {
        Ok(median(self.wide.run(1, span)?) * 1e3)
    }

    /// Images a second of the loops of one thread.
    fn side_by_side(&mut self, span: Duration) -> anyhow::Result<f64> {
        thread::scope(|scope| {
            let loops: Vec<_> = self
                .narrow
                .iter_mut()
                .map(|one| scope.spawn(move || one.run(1, span)))
                .collect();
            loops
                .into_iter()
                .map(|one| anyhow::Ok(rate(1, &one.join().ok().context("a loop panicked")??)))
                .sum()
        })
    }
}

/// Images a second of runs that took so many seconds each.
fn rate(batch: usize, times: &[f64]) -> f64 {
    ratio(batch * times.len(), 1) / times.iter().sum::<f64>()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    quantile(&times, 0.5)
}

/// One loop.
struct Loop {
    mapping: Option<Network>,
    synthesis: Network,
    z_dim: usize,
    /// Rows of a code, where synthesis takes w+.
    layers: Option<usize>,
    open_batch: bool,
    rescale: bool,
    range: ImageRange,
    seed: u32,
    device: Device,
}

impl Loop {
    fn open(place: &Place, files: &ModelFiles, threads: usize) -> anyhow::Result<Self> {
        let network = |graph: &Graph| place.network(graph, threads);
        let synthesis = network(&files.synthesis)?;
        let mapping = files.mapping.as_ref().map(network).transpose()?;
        let axes = axes(&synthesis)?;
        let layers = (axes.len() == 3).then(|| axes[1]).flatten();
        let codes = mapping.as_ref().map_or(Ok(axes.clone()), self::axes)?;
        let [black, white] = files.manifest.generator.image_range;
        Ok(Self {
            open_batch: axes[0].is_none(),
            mapping,
            synthesis,
            layers,
            z_dim: codes.last().copied().flatten().context("the length of z")?,
            rescale: files.manifest.generator.rescale_z,
            range: ImageRange::new(black, white).context("image_range")?,
            seed: 0,
            device: place.device,
        })
    }

    /// Draws and encodes for `span` as fast as it can; seconds of each run.
    fn go(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        match self.device {
            Device::Cpu => self.run(batch, span),
            Device::Cuda(_) => self.overlap(batch, span),
        }
    }

    /// Draws and encodes for `span`, one after the other; seconds of each run.
    fn run(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        self.draw(batch)?;
        let (began, mut times) = (Instant::now(), Vec::new());
        while began.elapsed() < span || times.is_empty() {
            let run = Instant::now();
            self.draw(batch)?;
            times.push(run.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// Draws for `span` on a GPU, and meanwhile encodes what the run before has left in pinned memory, on up to as many threads as there
    /// are cores; seconds of each run, or of the encoding beside it where that takes longer.
    fn overlap(&mut self, batch: usize, span: Duration) -> anyhow::Result<Vec<f64>> {
        let (range, share) = (self.range, batch.div_ceil(thread::available_parallelism()?.get()));
        let mut last = self.images(batch)?;
        let (began, mut times) = (Instant::now(), Vec::new());
        while began.elapsed() < span || times.is_empty() {
            let run = Instant::now();
            let images = last.try_extract_array::<f32>()?.into_dimensionality::<Ix4>()?;
            let next = thread::scope(|scope| {
                let shares: Vec<_> = images
                    .axis_chunks_iter(Axis(0), share)
                    .map(|share| {
                        scope.spawn(move || share.outer_iter().try_for_each(|image| encode(image, range)))
                    })
                    .collect();
                let next = self.images(batch)?;
                for share in shares {
                    share.join().ok().context("an encoder panicked")??;
                }
                anyhow::Ok(next)
            })?;
            last = next;
            times.push(run.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// One run, from seeds to files.
    fn draw(&mut self, batch: usize) -> anyhow::Result<()> {
        let codes = self.codes(batch)?;
        let images = self.synthesis.run(codes.view())?.into_dimensionality::<Ix4>()?;
        images
            .outer_iter()
            .try_for_each(|image| encode(image, self.range))
    }

    /// One run, from seeds to images.
    fn images(&mut self, batch: usize) -> anyhow::Result<DynValue> {
        let codes = self.codes(batch)?;
        self.synthesis.value(codes.view())
    }

    /// Codes of the next seeds, as synthesis takes them.
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

/// From an image to its file.
fn encode(image: ArrayView3<'_, f32>, range: ImageRange) -> anyhow::Result<()> {
    let picture = Image::from_tensor(image, range)?;
    std::hint::black_box(encode_png(&picture, Compression::Fast, None)?);
    Ok(())
}

fn axes(network: &Network) -> anyhow::Result<Vec<Option<usize>>> {
    let input = network.session.inputs().first();
    let ValueType::Tensor { shape, .. } = input.context("a graph has an input")?.dtype() else {
        anyhow::bail!("the input is no tensor");
    };
    Ok(shape.iter().map(|&axis| usize::try_from(axis).ok()).collect())
}
