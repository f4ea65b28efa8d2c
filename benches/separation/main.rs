//! Fits a boundary to a file of scored codes and prints the time and memory as JSON. `run.py` compares them with scikit-learn's.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use faceplane::latent::{BoundaryFit, FitMethod, LatentSpace, Provenance, SampleSelection};
use ndarray::{Array1, Array3};
use serde_json::json;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [folder, dim, ratio, method] = arguments.as_slice() else {
        println!(
            "Usage: separation FOLDER DIM RATIO svm|least-squares (benches/separation/run.py makes the folder and runs this)"
        );
        return Ok(());
    };
    let (folder, dim) = (Path::new(folder), dim.parse()?);
    let codes: Vec<f32> = numbers(&folder.join("codes.f32"), f32::from_le_bytes)?;
    let scores: Array1<f64> = numbers(&folder.join("scores.f64"), f64::from_le_bytes)?.into();
    ensure!(
        codes.len() == scores.len() * dim,
        "codes.f32: found {} values, expected {} scores × {dim} dimensions",
        codes.len(),
        scores.len()
    );
    let codes = Array3::from_shape_vec((scores.len(), 1, dim), codes)?;
    let fit = BoundaryFit {
        method: if method == "svm" {
            FitMethod::Svm
        } else {
            FitMethod::LeastSquares
        },
        selection: SampleSelection::Ratio(ratio.parse()?),
        seed: 2020,
        threshold: Some(0.0),
        ..BoundaryFit::paper()
    };

    let before = kibibytes("VmRSS")?;
    let start = Instant::now();
    let never_cancel = |_| ControlFlow::Continue(());
    let boundary = fit.fit(
        "one",
        LatentSpace::Z,
        codes.view(),
        scores.view(),
        Provenance::default(),
        never_cancel,
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let growth = kibibytes("VmHWM")?.saturating_sub(before);

    let accuracy = boundary.provenance().accuracy;
    let normal: Vec<f64> = boundary.normal().iter().copied().collect();
    let result = json!({
        "seconds": seconds, "kibibytes": growth, "normal": normal, "intercept": boundary.intercept(),
        "train": accuracy.train, "held_out": accuracy.held_out, "all": accuracy.all,
    });
    println!("{result}");
    Ok(())
}

/// Reads the little-endian numbers of a file. The file is read in parts, so that memory never holds it beside the numbers.
fn numbers<T, const N: usize>(path: &Path, read: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let mut numbers = Vec::with_capacity(usize::try_from(file.metadata()?.len())? / N);
    let mut file = BufReader::new(file);
    while !file.fill_buf()?.is_empty() {
        let mut number = [0; N];
        file.read_exact(&mut number)?;
        numbers.push(read(number));
    }
    Ok(numbers)
}

/// The resident memory of this process in KiB: `VmRSS` is the current value, `VmHWM` the peak.
fn kibibytes(name: &str) -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("the memory can only be measured on Linux")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .with_context(|| format!("/proc/self/status has no line {name}"))?;
    Ok(number.parse()?)
}
