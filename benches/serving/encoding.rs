//! A 1024×1024 picture encoded by the service's encoder, and by Pillow's at its defaults.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use faceplane::imaging::{Compression, Image, ImageRange, encode_png};
use ndarray::Array3;

use crate::load::quantile;
use crate::options::Options;
use crate::report::Report;

const SIDE: usize = 1024;
const TIMES: usize = 21;

/// Reads the raw picture, prints the median milliseconds and the bytes of the file.
const PILLOW: &str = "
import io, statistics, sys, time
from PIL import Image
side = int(sys.argv[1])
image = Image.frombytes('RGB', (side, side), sys.stdin.buffer.read())
times = []
for _ in range(7):
    file = io.BytesIO()
    began = time.perf_counter()
    image.save(file, 'PNG')
    times.append((time.perf_counter() - began) * 1e3)
print(statistics.median(times), file.tell())
";

/// Times both, where there is a Python with Pillow.
pub(crate) fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let tensor = tensor();
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        std::hint::black_box(Image::from_tensor(tensor.view(), ImageRange::SIGNED)?);
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    report.number(
        "encoding 1024×1024",
        "tensor to pixels: ms",
        quantile(&times, 0.5),
    );
    let picture = Image::from_tensor(tensor.view(), ImageRange::SIGNED)?;
    let (mut times, mut bytes) = (Vec::with_capacity(TIMES), 0);
    for _ in 0..TIMES {
        let began = Instant::now();
        bytes = std::hint::black_box(encode_png(&picture, Compression::Fast, None)?).len();
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let own = quantile(&times, 0.5);
    report.number("encoding 1024×1024", "faceplane: ms", own);
    report.number("encoding 1024×1024", "faceplane: KiB", kibibytes(bytes));
    let Some(python) = &options.python else {
        eprintln!("encoding: Pillow is not timed; --python names a Python that has it");
        return Ok(());
    };
    let mut child = Command::new(python)
        .args(["-c", PILLOW, &SIDE.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| python.display().to_string())?;
    child.stdin.take().context("a pipe")?.write_all(picture.rgb())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        eprintln!(
            "encoding: Pillow is not timed: {} does not have it",
            python.display()
        );
        return Ok(());
    }
    let text = String::from_utf8(output.stdout)?;
    let (milliseconds, bytes) = text.trim().split_once(' ').context("two numbers")?;
    let pillow: f64 = milliseconds.parse()?;
    report.number("encoding 1024×1024", "Pillow: ms", pillow);
    report.number("encoding 1024×1024", "Pillow: KiB", kibibytes(bytes.parse()?));
    report.number("encoding 1024×1024", "Pillow's time / faceplane's", pillow / own);
    Ok(())
}

/// Smooth shapes with a little noise, as photographs have.
fn tensor() -> Array3<f32> {
    let mut state = 1_u32;
    #[expect(clippy::cast_precision_loss, reason = "a side is a small number")]
    Array3::from_shape_fn((3, SIDE, SIDE), |(channel, row, column)| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 24) as f32 / 255.0 - 0.5;
        let (x, y) = (column as f32 / 97.0, row as f32 / 131.0);
        0.7 * (x + channel as f32).sin() * (y - x / 3.0).cos() + 0.03 * noise
    })
}

#[expect(clippy::cast_precision_loss, reason = "a file's size is a small number")]
fn kibibytes(bytes: usize) -> f64 {
    bytes as f64 / 1024.0
}
