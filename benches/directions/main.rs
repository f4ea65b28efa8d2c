//! How close the methods of training come to a direction that is known, at several noises and numbers of samples, and the time and the
//! memory that the default takes for five attributes. Prints tables.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, Result};
use faceplane::latent::{
    Boundary, BoundaryFit, CodesToFit, FitMethod, LatentSpace, Provenance, SampleSelection, SharedCodes,
    standard_normal,
};
use ndarray::{Array1, Array3, ArrayView1};

/// Values of a code.
const DIM: usize = 512;
/// Draws of each mean cosine.
const DRAWS: u32 = 20;

fn main() -> Result<()> {
    let argument = std::env::args().skip(1).find(|argument| argument != "--bench");
    match argument.as_deref() {
        Some("cosines") => cosines(),
        Some("estimates") => estimates(),
        Some("time") => time(),
        Some("memory") => memory(),
        _ => {
            println!("Usage: directions cosines|estimates|time|memory");
            Ok(())
        }
    }
}

/// Normally distributed codes, and the score t·x + noise ε of each, with the unit direction t.
#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
fn scored(seed: u32, samples: usize, noise: f64) -> Result<(Array3<f32>, Array1<f64>, Vec<f64>)> {
    let numbers = standard_normal(seed, samples * DIM);
    let truth = standard_normal(seed + 5000, DIM);
    let length = truth.iter().map(|value| value * value).sum::<f64>().sqrt();
    let truth: Vec<f64> = truth.iter().map(|value| value / length).collect();
    let errors = standard_normal(seed + 9000, samples);
    let scores = numbers.chunks(DIM).zip(errors).map(|(code, error)| {
        let along: f64 = code.iter().zip(&truth).map(|(value, axis)| value * axis).sum();
        along + noise * error
    });
    let scores = scores.collect();
    let codes = numbers.into_iter().map(|value| value as f32).collect();
    Ok((Array3::from_shape_vec((samples, 1, DIM), codes)?, scores, truth))
}

fn fit<'a>(
    options: &BoundaryFit,
    codes: impl Into<CodesToFit<'a>>,
    scores: ArrayView1<'_, f64>,
) -> Result<Boundary> {
    let never_cancel = |_| ControlFlow::Continue(());
    let known = Provenance::default();
    Ok(options.fit("one", LatentSpace::Z, codes, scores, known, never_cancel)?)
}

fn cosine(boundary: &Boundary, truth: &[f64]) -> f64 {
    boundary
        .normal()
        .iter()
        .zip(truth)
        .map(|(one, other)| one * other)
        .sum()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX))
}

/// The mean cosine with the true direction over some draws, for each method.
fn cosines() -> Result<()> {
    println!("| samples | noise | regression | least squares | svm, ratio 0.02 | svm, ratio 0.25 |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for samples in [1_000, 3_000, 10_000, 30_000, 100_000] {
        for noise in [0.6, 1.07, 1.96] {
            let methods = [
                (FitMethod::Regression, 0.02),
                (FitMethod::LeastSquares, 0.02),
                (FitMethod::Svm, 0.02),
                (FitMethod::Svm, 0.25),
            ];
            // Many ends that overlap take the support vector machine hours.
            let methods = &methods[..if samples > 10_000 { 3 } else { 4 }];
            let mut found = vec![Vec::new(); methods.len()];
            for draw in 0..DRAWS {
                let (codes, scores, truth) = scored(10 * draw, samples, noise)?;
                for (&(method, ratio), found) in methods.iter().zip(&mut found) {
                    let options = BoundaryFit {
                        method,
                        selection: SampleSelection::Ratio(ratio),
                        ..BoundaryFit::default()
                    };
                    found.push(cosine(&fit(&options, codes.view(), scores.view())?, &truth));
                }
            }
            let cells: Vec<_> = found.iter().map(|found| format!("{:.4}", mean(found))).collect();
            println!("| {samples} | {noise} | {} |", cells.join(" | "));
        }
    }
    Ok(())
}

/// How often the expected cosine is within 0.02 of the true one, for scores and for their sides as labels.
fn estimates() -> Result<()> {
    println!("| samples | noise | of | mean cosine | mean expected | within 0.02, of 100 draws |");
    println!("| ---: | ---: | --- | ---: | ---: | ---: |");
    for samples in [10 * DIM, 10_000] {
        for noise in [0.6, 1.07, 1.96] {
            for labels in [false, true] {
                let (mut found, mut expected, mut within) = (Vec::new(), Vec::new(), 0);
                for draw in 0..100 {
                    let (codes, mut scores, truth) = scored(10 * draw, samples, noise)?;
                    if labels {
                        scores.mapv_inplace(|score| f64::from(u8::from(score > 0.0)));
                    }
                    let boundary = fit(&BoundaryFit::default(), codes.view(), scores.view())?;
                    let cosine = cosine(&boundary, &truth);
                    let estimate = boundary.provenance().accuracy.cosine.unwrap_or(f64::NAN);
                    within += usize::from((estimate - cosine).abs() < 0.02);
                    found.push(cosine);
                    expected.push(estimate);
                }
                let (found, expected) = (mean(&found), mean(&expected));
                let of = if labels { "labels" } else { "scores" };
                println!("| {samples} | {noise} | {of} | {found:.4} | {expected:.4} | {within} |");
            }
        }
    }
    Ok(())
}

/// The seconds that the default takes for 100,000 codes and five attributes, with scores that rise evenly along the direction, and with
/// saturating scores with noise that never changes their sign, where it takes the sides of the threshold.
fn time() -> Result<()> {
    let (codes, even, _) = scored(1, 100_000, 1.0)?;
    let (_, along, _) = scored(1, 100_000, 0.0)?;
    let noise = standard_normal(77, along.len());
    let saturated = along
        .iter()
        .zip(noise)
        .map(|(along, noise)| (3.0 * along).tanh() * noise.exp());
    for (name, scores) in [("even", even), ("saturated", saturated.collect())] {
        let others: Vec<Array1<f64>> = (0..5)
            .map(|attribute| scores.mapv(|score| score + f64::from(attribute)))
            .collect();
        let (started, shared) = (Instant::now(), SharedCodes::default());
        let mut method = None;
        for scores in &others {
            let codes = CodesToFit::shared(codes.view(), &shared);
            let boundary = fit(&BoundaryFit::default(), codes, scores.view())?;
            method.clone_from(&boundary.provenance().method);
        }
        let method = method.unwrap_or_default();
        println!("{name}, {method}: {:.2} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// How much memory the fits of five attributes take besides the codes, in MiB. Linux only.
fn memory() -> Result<()> {
    for samples in [50_000, 100_000, 200_000] {
        let (codes, scores, _) = scored(1, samples, 1.0)?;
        let sides = scores.mapv(|score| f64::from(u8::from(score > 0.0)));
        // It forgets the peak so far.
        std::fs::write("/proc/self/clear_refs", "5")?;
        let before = memory_of("VmRSS")?;
        let shared = SharedCodes::default();
        for scores in [&scores, &scores, &scores, &sides, &sides] {
            fit(
                &BoundaryFit::default(),
                CodesToFit::shared(codes.view(), &shared),
                scores.view(),
            )?;
        }
        println!("{samples} samples: {} MiB", (memory_of("VmHWM")? - before) / 1024);
    }
    Ok(())
}

/// A figure of this process in kB.
fn memory_of(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_matches([':', '\t', ' ']).split(' ').next());
    Ok(number.context("no such figure")?.parse()?)
}
