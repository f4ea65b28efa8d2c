//! The latency of an inversion by the encoder, compared with the bare networks, and of single images during inversions by
//! optimization: see `benches/README.md`.

#[path = "../bare_session.rs"]
mod bare_session;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bare_session::{BareRuntime, Network};
use clap::Parser;
use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::Device;
use faceplane::imaging::{
    FileMetadata, Framing, Image, ImageRange, PngCompression, decode, encode_png, frame,
};
use ndarray::{Axis, Ix2, Ix4};

/// Measures a running service on the bundled model: inversion by the encoder compared with the bare networks, and single images
/// with and without inversions by optimization at the same time.
#[derive(Parser)]
struct Options {
    /// Address of the running service.
    #[arg(long, default_value = "127.0.0.1:8080")]
    address: String,
    /// Path of ONNX Runtime's library.
    #[arg(long, env = "FACEPLANE_ONNXRUNTIME")]
    onnxruntime: PathBuf,
    /// Device of the bare networks, which should be the service's: cpu, cuda or cuda:N; cuda needs a build with the feature `cuda`.
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Number of repetitions of each measurement.
    #[arg(long = "times", value_name = "COUNT", default_value_t = 200)]
    repetitions: usize,
    /// `cargo bench` passes this option to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut client = Client::open(&options.address)?;
    let file = client
        .request("GET", "/v1/sample?seed=3&metadata=none", &[])?
        .body;
    measure_encoder(&options, &mut client, &file)?;
    measure_beside_inversions(&options, &mut client, &file)
}

/// The number of consecutive measurements of one kind. Blocks of both kinds alternate.
const BLOCK: usize = 10;

/// Compares an inversion by the encoder over HTTP with the same steps in this process: decode, both networks, encode.
fn measure_encoder(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut networks = BareInversion::open(options)?;
    let (mut bare, mut served) = (StageTimes::default(), StageTimes::default());
    for _ in 0..options.repetitions.div_ceil(BLOCK) {
        // The first measurement of a block does not count, because the CPU's caches still hold the weights of the other kind.
        for repeat in 0..=BLOCK {
            let start = Instant::now();
            let stages = networks.invert(file)?;
            if repeat > 0 {
                bare.record(start.elapsed(), &stages);
            }
        }
        for repeat in 0..=BLOCK {
            let start = Instant::now();
            let response = client.request("POST", "/v1/invert?method=encoder&metadata=none", file)?;
            if repeat > 0 {
                served.record(start.elapsed(), &response.stages()?);
            }
        }
    }
    println!("inversion by the encoder, median ms: {STAGES:?} and the rest");
    for (name, stages) in [("bare networks", &bare), ("over HTTP", &served)] {
        println!("  {name}: {:.2?}, total {:.2}", stages.parts(), stages.total());
    }
    println!("  ratio {:.3}", served.total() / bare.total());
    Ok(())
}

/// The stages of an inversion by the encoder, with their names in `Server-Timing`.
const STAGES: [&str; 4] = ["decoding", "encoder", "synthesis", "encoding"];

/// Times of inversions in milliseconds: the total, each stage, and the rest.
#[derive(Default)]
struct StageTimes {
    total: Vec<f64>,
    parts: [Vec<f64>; 5],
}

impl StageTimes {
    fn record(&mut self, total: Duration, stages: &[f64; 4]) {
        let total = milliseconds(total);
        self.total.push(total);
        let rest = total - stages.iter().sum::<f64>();
        for (times, &time) in self.parts.iter_mut().zip(stages.iter().chain([&rest])) {
            times.push(time);
        }
    }

    fn total(&self) -> f64 {
        median(&self.total)
    }

    fn parts(&self) -> [f64; 5] {
        self.parts.each_ref().map(|times| median(times))
    }
}

/// Measures single images alone, and during four inversions that run until the measurement ends.
fn measure_beside_inversions(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut seed = 0_u32;
    let mut singles = |count: usize| -> anyhow::Result<f64> {
        let mut latencies = Vec::new();
        for _ in 0..count {
            seed += 1;
            let start = Instant::now();
            client.request("GET", &format!("/v1/sample?seed={seed}"), &[])?;
            latencies.push(milliseconds(start.elapsed()));
        }
        Ok(median(&latencies))
    };
    singles(10)?;
    let alone = singles(options.repetitions)?;
    let stopped = AtomicBool::new(false);
    let invert = || {
        let mut client = Client::open(&options.address)?;
        client.send("POST", "/v1/invert?steps=1000&metadata=none", file)?;
        client.receive(Some(&stopped))
    };
    let beside = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                if let Err(error) = invert()
                    && !stopped.load(Ordering::Relaxed)
                {
                    eprintln!("an inversion failed: {error:#}");
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        let latency = singles(options.repetitions);
        stopped.store(true, Ordering::Relaxed);
        latency
    })?;
    println!(
        "a single image, median: alone {:.1} ms, during four inversions {:.1} ms, ratio {:.2}",
        alone,
        beside,
        beside / alone
    );
    Ok(())
}

/// Inversion by the encoder without the service.
struct BareInversion {
    encoder: Network,
    synthesis: Network,
    layers: usize,
}

impl BareInversion {
    fn open(options: &Options) -> anyhow::Result<Self> {
        let runtime = BareRuntime::load(&options.onnxruntime, options.device)?;
        let files = ModelFiles::read(&ModelFolder::Bundled)?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            encoder: runtime.network(
                files
                    .encoder
                    .as_ref()
                    .context("the bundled model has an encoder")?,
                cores,
            )?,
            synthesis: runtime.network(&files.synthesis, 1)?,
            layers: 8,
        })
    }

    /// Inverts an image file, encodes the reconstruction, and returns the time of each stage in ms.
    fn invert(&mut self, file: &[u8]) -> anyhow::Result<[f64; 4]> {
        let range = ImageRange::SIGNED;
        let start = Instant::now();
        let target = frame(&decode(file, 25_000_000)?, Framing::Centre, 256, 256)?;
        let image = target.tensor(range).insert_axis(Axis(0)).into_dyn();
        let decoded = Instant::now();
        let w = self.encoder.run(image.view())?.into_dimensionality::<Ix2>()?;
        let encoded = Instant::now();
        let rows = w.view().insert_axis(Axis(1));
        let all = rows
            .broadcast((1, self.layers, w.len_of(Axis(1))))
            .context("one row is repeated")?;
        let codes = all.to_owned().into_dyn();
        let image = self.synthesis.run(codes.view())?.into_dimensionality::<Ix4>()?;
        let synthesized = Instant::now();
        let reconstruction = Image::from_tensor(image.index_axis(Axis(0), 0), range)?;
        std::hint::black_box(encode_png(
            &reconstruction,
            PngCompression::Fast,
            &FileMetadata::default(),
        )?);
        let ends = [start, decoded, encoded, synthesized, Instant::now()];
        Ok(std::array::from_fn(|stage| {
            milliseconds(ends[stage + 1] - ends[stage])
        }))
    }
}

/// A client with one persistent connection.
struct Client {
    socket: TcpStream,
    /// The received bytes of a response. Its size is the largest response that is accepted.
    received: Vec<u8>,
}

/// A response with status 200.
struct Response {
    head: String,
    body: Vec<u8>,
}

impl Response {
    /// The time of each stage in ms, from `Server-Timing`.
    fn stages(&self) -> anyhow::Result<[f64; 4]> {
        let time_of = |stage: &str| {
            let (_, rest) = self.head.split_once(&format!(" {stage};dur="))?;
            rest.split([',', '\r']).next()?.parse().ok()
        };
        let mut stages = [0.0; 4];
        for (time, stage) in stages.iter_mut().zip(STAGES) {
            *time = time_of(stage)
                .with_context(|| format!("expected {stage} in Server-Timing, found: {}", self.head))?;
        }
        Ok(stages)
    }
}

impl Client {
    fn open(address: &str) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).with_context(|| {
            format!("no service listens at {address}; start one, or name its address with --address")
        })?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let received = vec![0; 1 << 20];
        Ok(Self { socket, received })
    }

    fn request(&mut self, method: &str, uri: &str, body: &[u8]) -> anyhow::Result<Response> {
        self.send(method, uri, body)?;
        self.receive(None)
    }

    fn send(&mut self, method: &str, uri: &str, body: &[u8]) -> anyhow::Result<()> {
        let kind = if body.starts_with(b"{") {
            "application/json"
        } else {
            "image/png"
        };
        let head = format!(
            "{method} {uri} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.socket.write_all(&[head.as_bytes(), body].concat())?;
        Ok(())
    }

    /// Reads a response. Fails as soon as `stopped` is true.
    fn receive(&mut self, stopped: Option<&AtomicBool>) -> anyhow::Result<Response> {
        let (mut length, mut expected) = (0, None);
        loop {
            if expected.is_none() {
                expected = Self::parse_head(&self.received[..length])?;
            }
            if let Some((head, end)) = expected.take_if(|&mut (_, end)| end <= length) {
                let body = self.received[head.len()..end].to_owned();
                let text = || String::from_utf8_lossy(&body).into_owned();
                anyhow::ensure!(head.starts_with("http/1.1 200"), "{}", text());
                return Ok(Response { head, body });
            }
            match self.socket.read(&mut self.received[length..]) {
                Ok(0) => {
                    anyhow::bail!("the service closed the connection, or its response is larger than 1 MiB")
                }
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

    /// The head of a response in lower case, and the end of its body; `None` if the head is not complete yet.
    fn parse_head(received: &[u8]) -> anyhow::Result<Option<(String, usize)>> {
        let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = String::from_utf8_lossy(&received[..end + 4]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length
            .context("the response has no Content-Length")?
            .trim()
            .parse()?;
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
