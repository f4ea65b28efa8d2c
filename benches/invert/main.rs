//! How long an encoder's answer takes beside the bare runs, and a single picture beside inversions: `benches/README.md`.

#[path = "../bare.rs"]
mod bare;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bare::{environment, run, session};
use clap::Parser;
use faceplane::catalog::{ModelFolder, ModelPackage};
use faceplane::imaging::{Compression, Framing, ImageRange, Picture, decode, encode_png, frame};
use ndarray::{Axis, Ix2, Ix4};
use ort::session::Session;

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
    let file = client.ask("GET", "/v1/sample?seed=3&metadata=none", &[])?;
    encoder(&options, &mut client, &file)?;
    beside(&options, &mut client, &file)
}

/// How many answers come one after the other before it is the bare loop's turn.
const BLOCK: usize = 10;

/// An encoder's answer over HTTP, and decoding, both runs and encoding in a bare loop, in turns.
fn encoder(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut bare = Bare::open(options)?;
    let (mut alone, mut served) = (Vec::new(), Vec::new());
    for _ in 0..options.times.div_ceil(BLOCK) {
        // Each begins with the other's weights in the processor's caches, so the first of a block does not count.
        for turn in 0..=BLOCK {
            let began = Instant::now();
            std::hint::black_box(bare.invert(file)?);
            if turn > 0 {
                alone.push(began.elapsed());
            }
        }
        for turn in 0..=BLOCK {
            let began = Instant::now();
            client.ask("POST", "/v1/invert?method=encoder&metadata=none", file)?;
            if turn > 0 {
                served.push(began.elapsed());
            }
        }
    }
    let (alone, served) = (median(alone), median(served));
    println!(
        "an encoder's answer, median: bare {:.1} ms, over HTTP {:.1} ms, ratio {:.3}",
        milliseconds(alone),
        milliseconds(served),
        served.as_secs_f64() / alone.as_secs_f64()
    );
    Ok(())
}

/// Single pictures alone, and beside four inversions that do not end.
fn beside(options: &Options, client: &mut Client, file: &[u8]) -> anyhow::Result<()> {
    let mut seed = 0_u32;
    let mut singles = |times: usize| -> anyhow::Result<Duration> {
        let mut found = Vec::new();
        for _ in 0..times {
            seed += 1;
            let began = Instant::now();
            client.ask("GET", &format!("/v1/sample?seed={seed}"), &[])?;
            found.push(began.elapsed());
        }
        Ok(median(found))
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
        milliseconds(alone),
        milliseconds(found),
        found.as_secs_f64() / alone.as_secs_f64()
    );
    Ok(())
}

/// The encoder's and the synthesis graph's bare sessions.
struct Bare {
    encoder: Session,
    synthesis: Session,
    layers: usize,
}

impl Bare {
    fn open(options: &Options) -> anyhow::Result<Self> {
        let environment = environment(&options.onnxruntime)?;
        let package = ModelPackage::read(&ModelFolder::Bundled)?;
        let cores = std::thread::available_parallelism()?.get();
        Ok(Self {
            encoder: session(
                &environment,
                package.encoder.as_ref().context("an encoder")?,
                cores,
            )?,
            synthesis: session(&environment, &package.synthesis, 1)?,
            layers: 8,
        })
    }

    /// From a picture's file to its reconstruction's.
    fn invert(&mut self, file: &[u8]) -> anyhow::Result<Vec<u8>> {
        let range = ImageRange::SIGNED;
        let picture = frame(&decode(file, 25_000_000)?, Framing::Centre, 256, 256)?;
        let image = picture.tensor(range).insert_axis(Axis(0)).into_dyn();
        let w = run(&mut self.encoder, image.view())?.into_dimensionality::<Ix2>()?;
        let rows = w.view().insert_axis(Axis(1));
        let all = rows
            .broadcast((1, self.layers, w.len_of(Axis(1))))
            .context("one row is repeated")?;
        let image =
            run(&mut self.synthesis, all.to_owned().into_dyn().view())?.into_dimensionality::<Ix4>()?;
        let drawn = Picture::from_tensor(image.index_axis(Axis(0), 0), range)?;
        Ok(encode_png(&drawn, Compression::Fast, None)?)
    }
}

/// One connection that stays open.
struct Client {
    socket: TcpStream,
}

impl Client {
    fn open(address: &str) -> anyhow::Result<Self> {
        let socket = TcpStream::connect(address).with_context(|| format!("no service at {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        Ok(Self { socket })
    }

    fn ask(&mut self, method: &str, uri: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
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

    /// The body of an answer of status 200; an error as soon as nobody waits for it any more.
    fn answer(&mut self, stopped: Option<&AtomicBool>) -> anyhow::Result<Vec<u8>> {
        let (mut text, mut part) = (Vec::new(), vec![0; 1 << 16]);
        loop {
            if let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.context("an answer without a length")?.trim().parse()?;
                if text.len() >= end + 4 + length {
                    let body = text.split_off(end + 4);
                    anyhow::ensure!(
                        head.starts_with("http/1.1 200"),
                        "{}",
                        String::from_utf8_lossy(&body)
                    );
                    return Ok(body);
                }
            }
            match self.socket.read(&mut part) {
                Ok(0) => anyhow::bail!("the service hung up"),
                Ok(count) => text.extend_from_slice(&part[..count]),
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
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
