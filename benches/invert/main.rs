//! How long an encoder's answer takes beside the bare runs, and a single picture beside inversions: `benches/README.md`.

#[path = "../bare.rs"]
mod bare;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bare::{Network, Place};
use clap::Parser;
use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::Device;
use faceplane::imaging::{Compression, Framing, Image, ImageRange, decode, encode_png, frame};
use ndarray::{Axis, Ix2, Ix4};

/// Measures a running service on the bundled model: an encoder's answer beside the bare runs, and single pictures alone and
/// beside inversions.
#[derive(Parser)]
struct Options {
    /// Where the service listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,
    /// ONNX Runtime's library.
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME")]
    onnxruntime: PathBuf,
    /// Where the bare sessions run, as the service does: cpu, cuda, or cuda:N (a bench built with the feature cuda).
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// How often each thing is measured.
    #[arg(long, default_value_t = 200)]
    times: usize,
    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut client = Client::open(&options.address)?;
    let file = client.ask("GET", "/v1/sample?seed=3&metadata=none", &[])?.body;
    encoder(&options, &mut client, &file)?;
    beside(&options, &mut client, &file)
}

/// How many answers come one after the other before it is the bare loop's turn.
const BLOCK: usize = 10;

/// An encoder's answer over HTTP, and decoding, both runs and encoding in a bare loop, in turns.
fn encoder(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut bare = Bare::open(options)?;
    let (mut alone, mut served) = (Stages::default(), Stages::default());
    for _ in 0..options.times.div_ceil(BLOCK) {
        // Each begins with the other's weights in the processor's caches, so the first of a block does not count.
        for turn in 0..=BLOCK {
            let began = Instant::now();
            let stages = bare.invert(file)?;
            if turn > 0 {
                alone.note(began.elapsed(), &stages);
            }
        }
        for turn in 0..=BLOCK {
            let began = Instant::now();
            let answer = client.ask("POST", "/v1/invert?method=encoder&metadata=none", file)?;
            if turn > 0 {
                served.note(began.elapsed(), &answer.stages()?);
            }
        }
    }
    println!("an encoder's answer, median ms: {STAGES:?} and the rest");
    for (name, stages) in [("bare", &alone), ("over HTTP", &served)] {
        println!("  {name}: {:.2?}, all {:.2}", stages.parts(), stages.whole());
    }
    println!("  ratio {:.3}", served.whole() / alone.whole());
    Ok(())
}

/// The parts of an encoder's answer, as `Server-Timing` calls them.
const STAGES: [&str; 4] = ["decoding", "encoder", "synthesis", "encoding"];

/// How long answers took, in milliseconds: all in all, each stage, and what is no stage.
#[derive(Default)]
struct Stages {
    whole: Vec<f64>,
    parts: [Vec<f64>; 5],
}

impl Stages {
    fn note(&mut self, whole: Duration, stages: &[f64; 4]) {
        let whole = milliseconds(whole);
        self.whole.push(whole);
        let rest = whole - stages.iter().sum::<f64>();
        for (times, &time) in self.parts.iter_mut().zip(stages.iter().chain([&rest])) {
            times.push(time);
        }
    }

    fn whole(&self) -> f64 {
        median(&self.whole)
    }

    fn parts(&self) -> [f64; 5] {
        self.parts.each_ref().map(|times| median(times))
    }
}

/// Single pictures alone, and beside four inversions that do not end.
fn beside(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut seed = 0_u32;
    let mut singles = |times: usize| -> anyhow::Result<f64> {
        let mut found = Vec::new();
        for _ in 0..times {
            seed += 1;
            let began = Instant::now();
            client.ask("GET", &format!("/v1/sample?seed={seed}"), &[])?;
            found.push(milliseconds(began.elapsed()));
        }
        Ok(median(&found))
    };
    singles(10)?;
    let alone = singles(options.times)?;
    let stopped = AtomicBool::new(false);
    let invert = || {
        let mut client = Client::open(&options.address)?;
        client.send("POST", "/v1/invert?steps=1000&metadata=none", file)?;
        client.answer(Some(&stopped))
    };
    let found = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                if let Err(error) = invert()
                    && !stopped.load(Ordering::Relaxed)
                {
                    eprintln!("an inversion: {error:#}");
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        let found = singles(options.times);
        stopped.store(true, Ordering::Relaxed);
        found
    })?;
    println!(
        "a single picture, median: alone {:.1} ms, beside four inversions {:.1} ms, {:.2} times",
        alone,
        found,
        found / alone
    );
    Ok(())
}

/// The encoder's and the synthesis graph's bare sessions.
struct Bare {
    encoder: Network,
    synthesis: Network,
    layers: usize,
}

impl Bare {
    fn open(options: &Options) -> anyhow::Result<Self> {
        let place = Place::load(&options.onnxruntime, options.device)?;
        let files = ModelFiles::read(&ModelFolder::Bundled)?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            encoder: place.network(files.encoder.as_ref().context("an encoder")?, cores)?,
            synthesis: place.network(&files.synthesis, 1)?,
            layers: 8,
        })
    }

    /// From a picture's file to its reconstruction's: the stages' milliseconds.
    fn invert(&mut self, file: &[u8]) -> anyhow::Result<[f64; 4]> {
        let range = ImageRange::SIGNED;
        let began = Instant::now();
        let picture = frame(&decode(file, 25_000_000)?, Framing::Centre, 256, 256)?;
        let image = picture.tensor(range).insert_axis(Axis(0)).into_dyn();
        let decoded = Instant::now();
        let w = self.encoder.run(image.view())?.into_dimensionality::<Ix2>()?;
        let encoded = Instant::now();
        let rows = w.view().insert_axis(Axis(1));
        let all = rows
            .broadcast((1, self.layers, w.len_of(Axis(1))))
            .context("one row is repeated")?;
        let codes = all.to_owned().into_dyn();
        let image = self.synthesis.run(codes.view())?.into_dimensionality::<Ix4>()?;
        let drawn = Instant::now();
        let picture = Image::from_tensor(image.index_axis(Axis(0), 0), range)?;
        std::hint::black_box(encode_png(&picture, Compression::Fast, None)?);
        let ends = [began, decoded, encoded, drawn, Instant::now()];
        Ok(std::array::from_fn(|stage| {
            milliseconds(ends[stage + 1] - ends[stage])
        }))
    }
}

/// One connection that stays open.
struct Client {
    socket: TcpStream,
    /// What has come of an answer; it keeps its room for the next.
    come: Vec<u8>,
}

/// An answer of status 200.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// The milliseconds of each stage, as the service tells them.
    fn stages(&self) -> anyhow::Result<[f64; 4]> {
        let told = |stage: &str| {
            let (_, rest) = self.head.split_once(&format!(" {stage};dur="))?;
            rest.split([',', '\r']).next()?.parse().ok()
        };
        let mut stages = [0.0; 4];
        for (time, stage) in stages.iter_mut().zip(STAGES) {
            *time = told(stage).with_context(|| format!("Server-Timing without {stage}: {}", self.head))?;
        }
        Ok(stages)
    }
}

impl Client {
    fn open(address: &str) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).with_context(|| format!("no service at {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let come = vec![0; 1 << 20];
        Ok(Self { socket, come })
    }

    fn ask(&mut self, method: &str, uri: &str, body: &[u8]) -> anyhow::Result<Answer> {
        self.send(method, uri, body)?;
        self.answer(None)
    }

    fn send(&mut self, method: &str, uri: &str, body: &[u8]) -> anyhow::Result<()> {
        let kind = if body.starts_with(b"{") {
            "application/json"
        } else {
            "image/png"
        };
        let head = format!(
            "{method} {uri} HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.socket.write_all(&[head.as_bytes(), body].concat())?;
        Ok(())
    }

    /// The answer; an error as soon as nobody waits for it any more.
    fn answer(&mut self, stopped: Option<&AtomicBool>) -> anyhow::Result<Answer> {
        let (mut length, mut wanted) = (0, None);
        loop {
            if wanted.is_none() {
                wanted = Self::head(&self.come[..length])?;
            }
            if let Some((head, end)) = wanted.take_if(|&mut (_, end)| end <= length) {
                let body = self.come[head.len()..end].to_owned();
                let text = || String::from_utf8_lossy(&body).into_owned();
                anyhow::ensure!(head.starts_with("http/1.1 200"), "{}", text());
                return Ok(Answer { head, body });
            }
            match self.socket.read(&mut self.come[length..]) {
                Ok(0) => anyhow::bail!("the service hung up, or its answer is larger than expected"),
                Ok(count) => length += count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    anyhow::ensure!(
                        stopped.is_none_or(|stopped| !stopped.load(Ordering::Relaxed)),
                        "stopped"
                    );
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// An answer's head in small letters, once all of it has come, and where its body ends.
    fn head(come: &[u8]) -> anyhow::Result<Option<(String, usize)>> {
        let Some(end) = come.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&come[..end + 4]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("an answer without a length")?.trim().parse()?;
        Ok(Some((head, end + 4 + length)))
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_owned();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
