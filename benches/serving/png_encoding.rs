//! The time to encode a 1024×1024 image as PNG: by the service's encoder, and by Pillow with its default settings.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use faceplane::imaging::{FileMetadata, Image, ImageRange, PngCompression, encode_png};
use ndarray::Array3;

use crate::clients::quantile;
use crate::options::Options;
use crate::report::Report;

/// Width and height of the image in pixels.
const SIDE: usize = 1024;

/// The number of measurements of each step.
const REPEATS: usize = 21;

/// A Python program: reads the raw pixels, prints the median time of the encoding in ms and the size of the file in bytes.
const PILLOW: &str = "
import io, statistics, sys, time
from PIL import Image
side = int(sys.argv[1])
image = Image.frombytes('RGB', (side, side), sys.stdin.buffer.read())
times = []
for _ in range(7):
    file = io.BytesIO()
    start = time.perf_counter()
    image.save(file, 'PNG')
    times.append((time.perf_counter() - start) * 1e3)
print(statistics.median(times), file.tell())
";

/// Measures the service's encoder, and Pillow's if `--python` names a Python that has it.
pub(crate) fn measure(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let tensor = tensor();
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let start = Instant::now();
        std::hint::black_box(Image::from_tensor(tensor.view(), ImageRange::SIGNED)?);
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    report.number(
        "encoding 1024×1024",
        "tensor to pixels: ms",
        quantile(&times, 0.5),
    );
    let image = Image::from_tensor(tensor.view(), ImageRange::SIGNED)?;
    let (mut times, mut bytes) = (Vec::with_capacity(REPEATS), 0);
    for _ in 0..REPEATS {
        let start = Instant::now();
        bytes = std::hint::black_box(encode_png(
            &image,
            PngCompression::Fast,
            &FileMetadata::default(),
        )?)
        .len();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let own = quantile(&times, 0.5);
    report.number("encoding 1024×1024", "faceplane: ms", own);
    report.number("encoding 1024×1024", "faceplane: KiB", kibibytes(bytes));
    let Some(python) = &options.python else {
        eprintln!("encoding: Pillow is not measured; to measure it, name a Python that has it with --python");
        return Ok(());
    };
    let mut child = Command::new(python)
        .args(["-c", PILLOW, &SIDE.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| python.display().to_string())?;
    child
        .stdin
        .take()
        .context("the child has a pipe for its input")?
        .write_all(image.rgb())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        eprintln!(
            "encoding: Pillow is not measured, because {} does not have it",
            python.display()
        );
        return Ok(());
    }
    let text = String::from_utf8(output.stdout)?;
    let (milliseconds, bytes) = text
        .trim()
        .split_once(' ')
        .context("Pillow: expected two numbers")?;
    let pillow: f64 = milliseconds.parse()?;
    report.number("encoding 1024×1024", "Pillow: ms", pillow);
    report.number("encoding 1024×1024", "Pillow: KiB", kibibytes(bytes.parse()?));
    report.number("encoding 1024×1024", "Pillow's time / faceplane's", pillow / own);
    Ok(())
}

/// An image of smooth shapes with a little noise, similar to a photograph.
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
