//! The ceiling: a bare loop over the graphs in one process, from codes to PNG files.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use faceplane::catalog::{Graph, ModelPackage};
use faceplane::imaging::{Compression, ImageRange, Picture, encode_png};
use faceplane::latent::sample_z;
use ndarray::{Array2, Axis, Ix2, Ix4};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::ValueType;

use crate::bare::{environment, run, session};
use crate::load::{quantile, ratio};
use crate::options::Options;
use crate::process::own_cpu;
use crate::report::Report;

/// The name of these figures.
pub(crate) const NAME: &str = "bare loop";

/// The batches tried.
const BATCHES: [usize; 4] = [1, 2, 4, 8];

/// Loops over the graphs: one that has all threads, and one for each core that has one.
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
        let environment = environment(&options.onnxruntime)?;
        let package = ModelPackage::read(&options.folder())?;
        let open = |threads| Loop::open(&environment, &package, threads);
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            wide: open(options.threads.unwrap_or(cores))?,
            narrow: (0..cores).map(|_| open(1)).collect::<anyhow::Result<_>>()?,
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
        let batches = if self.wide.open_batch {
            &BATCHES[..]
        } else {
            &BATCHES[..1]
        };
        for &batch in batches {
            let cpu = own_cpu();
            let times = self.wide.run(batch, span)?;
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
        let narrow = self.side_by_side(span)?;
        report.number(NAME, "a loop of one thread on each core: images/s", narrow);
        found.push((narrow, Way::Narrow));
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
            Way::Wide(batch) => Ok(rate(batch, &self.wide.run(batch, span)?)),
            Way::Narrow => self.side_by_side(span),
        }
    }

    /// The median milliseconds of one image after the other.
    pub(crate) fn alone(&mut self, span: Duration) -> anyhow::Result<f64> {
        Ok(median(self.wide.run(1, span)?) * 1e3)
    }

    /// Images a second of the loops of one thread.
    fn side_by_side(&mut self, span: Duration) -> anyhow::Result<f64> {
        std::thread::scope(|scope| {
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
    mapping: Option<Session>,
    synthesis: Session,
    z_dim: usize,
    /// Rows of a code, where synthesis takes w+.
    layers: Option<usize>,
    open_batch: bool,
    rescale: bool,
    range: ImageRange,
    seed: u32,
}

impl Loop {
    fn open(environment: &Environment, package: &ModelPackage, threads: usize) -> anyhow::Result<Self> {
        let session = |graph: &Graph| session(environment, graph, threads);
        let synthesis = session(&package.synthesis)?;
        let mapping = package.mapping.as_ref().map(session).transpose()?;
        let axes = axes(&synthesis)?;
        let layers = (axes.len() == 3).then(|| axes[1]).flatten();
        let codes = mapping.as_ref().map_or(Ok(axes.clone()), self::axes)?;
        let [black, white] = package.manifest.generator.image_range;
        Ok(Self {
            open_batch: axes[0].is_none(),
            mapping,
            synthesis,
            layers,
            z_dim: codes.last().copied().flatten().context("the length of z")?,
            rescale: package.manifest.generator.rescale_z,
            range: ImageRange::new(black, white).context("image_range")?,
            seed: 0,
        })
    }

    /// Draws and encodes for `span`; seconds of each run.
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

    /// One run, from seeds to files.
    fn draw(&mut self, batch: usize) -> anyhow::Result<()> {
        let mut z = Array2::zeros((batch, self.z_dim));
        for mut row in z.outer_iter_mut() {
            self.seed += 1;
            let code = sample_z(self.seed, self.z_dim, self.rescale)?;
            row.assign(&code.values().index_axis(Axis(0), 0));
        }
        let w = match &mut self.mapping {
            Some(mapping) => run(mapping, z.view().into_dyn())?.into_dimensionality::<Ix2>()?,
            None => z,
        };
        let codes = match self.layers {
            Some(layers) => {
                let rows = w.view().insert_axis(Axis(1));
                let all = rows.broadcast((batch, layers, w.len_of(Axis(1))));
                all.context("one row is repeated")?.to_owned().into_dyn()
            }
            None => w.into_dyn(),
        };
        let images = run(&mut self.synthesis, codes.view())?.into_dimensionality::<Ix4>()?;
        for image in images.outer_iter() {
            let picture = Picture::from_tensor(image, self.range)?;
            std::hint::black_box(encode_png(&picture, Compression::Fast, None)?);
        }
        Ok(())
    }
}

fn axes(session: &Session) -> anyhow::Result<Vec<Option<usize>>> {
    let input = session.inputs().first().context("a graph has an input")?;
    let ValueType::Tensor { shape, .. } = input.dtype() else {
        anyhow::bail!("the input is no tensor");
    };
    Ok(shape.iter().map(|&axis| usize::try_from(axis).ok()).collect())
}
