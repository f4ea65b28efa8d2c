//! The tensor that the synthesis and gradient graphs take.

use ndarray::{Array3, ArrayView2};

use crate::engine::GeneratorShape;

/// Codes `[rows, dim]` as one tensor `[codes, synthesis rows, dim]`. A code of one row is repeated for every layer.
///
/// # Panics
/// If a code has neither one row nor as many rows as synthesis takes.
pub(crate) fn synthesis_input<'a>(
    shape: &GeneratorShape,
    codes: impl ExactSizeIterator<Item = ArrayView2<'a, f32>>,
) -> Array3<f32> {
    let mut input = Array3::zeros((codes.len(), shape.synthesis_rows(), shape.w_dim));
    for (mut rows, code) in input.outer_iter_mut().zip(codes) {
        let repeated = code.broadcast(rows.raw_dim());
        rows.assign(&repeated.expect("a code has one row or as many as synthesis takes"));
    }
    input
}
