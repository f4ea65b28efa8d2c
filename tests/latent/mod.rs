//! Properties of codes, boundaries and edits, and comparison with the boundaries that the method's authors published.

use faceplane::latent::{Boundary, LatentCode, LatentSpace, Provenance, standard_normal};
use ndarray::Array2;

mod boundary;
mod edit;
mod projection;
mod published;
mod series;
mod spread;

/// Layers of a w+ code here.
const LAYERS: usize = 6;

/// Values in a row here.
const DIM: usize = 24;

fn shape(space: LatentSpace) -> (usize, usize) {
    (if space == LatentSpace::WPlus { LAYERS } else { 1 }, DIM)
}

/// Normal numbers for `seed` in the shape that `space` has here.
fn numbers(space: LatentSpace, seed: u32) -> Array2<f64> {
    let (rows, dim) = shape(space);
    Array2::from_shape_vec((rows, dim), standard_normal(seed, rows * dim)).unwrap()
}

#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
fn code(space: LatentSpace, seed: u32) -> LatentCode {
    LatentCode::new(space, numbers(space, seed).mapv(|number| number as f32)).unwrap()
}

fn boundary(attribute: &str, space: LatentSpace, seed: u32) -> Boundary {
    let intercept = f64::from(seed % 7) - 3.0;
    Boundary::new(
        attribute,
        space,
        numbers(space, seed),
        intercept,
        Provenance::default(),
    )
    .unwrap()
}
