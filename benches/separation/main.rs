//! Fits a boundary to one file of scored codes and prints seconds and memory, for `run.py`, which compares with scikit-learn.

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
    let given: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let [folder, dim, ratio, method] = given.as_slice() else {
        println!("Run by benches/separation/run.py; on its own it takes FOLDER DIM RATIO svm|least-squares.");
        return Ok(());
    };
    let (folder, dim) = (Path::new(folder), dim.parse()?);
    let codes: Vec<f32> = numbers(&folder.join("codes.f32"), f32::from_le_bytes)?;
    let scores: Array1<f64> = numbers(&folder.join("scores.f64"), f64::from_le_bytes)?.into();
    ensure!(
        codes.len() == scores.len() * dim,
        "{} values for {} scores",
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
        ..BoundaryFit::default()
    };

    let before = kibibytes("VmRSS")?;
    let began = Instant::now();
    let go_on = |_| ControlFlow::Continue(());
    let boundary = fit.fit(
        "one",
        LatentSpace::Z,
        codes.view(),
        scores.view(),
        Provenance::default(),
        go_on,
    )?;
    let seconds = began.elapsed().as_secs_f64();
    let above = kibibytes("VmHWM")?.saturating_sub(before);

    let accuracy = boundary.provenance().accuracy;
    let normal: Vec<f64> = boundary.normal().iter().copied().collect();
    let found = json!({
        "seconds": seconds, "kibibytes": above, "normal": normal, "intercept": boundary.intercept(),
        "train": accuracy.train, "held_out": accuracy.held_out, "all": accuracy.all,
    });
    println!("{found}");
    Ok(())
}

/// The little-endian numbers of a file, which is never in memory as a whole beside them.
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

/// This process's memory now (`VmRSS`) or at its most (`VmHWM`), as Linux has it.
fn kibibytes(name: &str) -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("the memory is read as Linux tells it")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .context("no such line")?;
    Ok(number.parse()?)
}
