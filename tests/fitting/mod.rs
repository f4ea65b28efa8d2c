//! Boundaries fitted to scored codes: compared with scikit-learn and numpy, properties, and refusals.

use std::ops::ControlFlow;

use faceplane::latent::{Boundary, BoundaryFit, LatentError, LatentSpace, Provenance, standard_normal};
use ndarray::{Array1, Array3, ArrayView1, ArrayView3};

mod correlation;
mod directions;
mod hard_samples;
mod parity;
mod properties;
mod refusals;

/// Codes [samples, layers, dim] of normally distributed numbers of `seed`, plus `offset`.
#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
fn codes(seed: u32, samples: usize, (layers, dim): (usize, usize), offset: f64) -> Array3<f32> {
    let numbers = standard_normal(seed, samples * layers * dim);
    let numbers = numbers
        .into_iter()
        .map(|number| (number + offset) as f32)
        .collect();
    Array3::from_shape_vec((samples, layers, dim), numbers).unwrap()
}

/// The score x·t/√d + `noise` ε of each code, with t and ε normally distributed numbers of seeds near `seed`.
fn scores(seed: u32, codes: &Array3<f32>, noise: f64, offset: f64) -> Array1<f64> {
    let (samples, layers, dim) = codes.dim();
    let size = layers * dim;
    let numbers = standard_normal(seed, samples * size);
    let direction = standard_normal(seed + 100, size);
    let errors = standard_normal(seed + 200, samples);
    let along = |code: &[f64]| {
        code.iter()
            .zip(&direction)
            .map(|(x, t)| (x + offset) * t)
            .sum::<f64>()
    };
    #[expect(clippy::cast_precision_loss, reason = "codes are short")]
    let root = (size as f64).sqrt();
    numbers
        .chunks(size)
        .zip(errors)
        .map(|(code, error)| along(code) / root + noise * error)
        .collect()
}

/// Fits a boundary of `smile`, in w+ if the codes have layers.
fn fit(
    options: &BoundaryFit,
    codes: ArrayView3<'_, f32>,
    scores: ArrayView1<'_, f64>,
) -> Result<Boundary, LatentError> {
    let space = if codes.dim().1 > 1 {
        LatentSpace::WPlus
    } else {
        LatentSpace::Z
    };
    options.fit("smile", space, codes, scores, Provenance::default(), |_| {
        ControlFlow::Continue(())
    })
}
