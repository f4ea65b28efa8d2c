//! Products of matrices.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step};
use crate::graph::gradient::tape::Tape;
use crate::graph::{GraphError, Value, float, integer};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "Gemm" => gemm,
        "MatMul" => matmul,
        _ => return None,
    })
}

/// y = a b: the gradients are g bᵀ and aᵀ g.
fn matmul(step: &mut Step<'_>) -> Shares {
    let inputs = [step.shape(0)?, step.shape(1)?];
    if inputs.iter().any(|shape| shape.len() < 2) {
        return Err(step.refusal("one of its inputs is a vector; expected matrices"));
    }
    let Gradient { value, factor } = step.full_gradient()?;
    let (a, b) = (step.input(0)?, step.input(1)?);
    let mut shares = Vec::new();
    if step.wants(0) {
        let product = times_transposed(step.tape, &value, &b, &a)?;
        let product = ops::sum_to(step.tape, &product, &inputs[0])?;
        shares.push((0, Share::Whole(Gradient::new(product, factor))));
    }
    if step.wants(1) {
        let product = transposed_times(step.tape, &a, &value, &b)?;
        let product = ops::sum_to(step.tape, &product, &inputs[1])?;
        shares.push((1, Share::Whole(Gradient::new(product, factor))));
    }
    Ok(shares)
}

/// The number of elements of a matrix, without the batch.
fn size(tape: &Tape, value: &Value) -> i64 {
    tape.shape(value).iter().map(|length| length.factor).product()
}

/// g bᵀ, or (b gᵀ)ᵀ where that moves fewer elements. The result is as large as `like`.
fn times_transposed(tape: &mut Tape, g: &Value, b: &Value, like: &Value) -> Result<Value, GraphError> {
    if tape.is_constant(b) || size(tape, b) <= size(tape, g) + size(tape, like) {
        let b = ops::transpose_last(tape, b)?;
        return ops::matmul(tape, g, &b);
    }
    let g = ops::transpose_last(tape, g)?;
    let product = ops::matmul(tape, b, &g)?;
    ops::transpose_last(tape, &product)
}

/// aᵀ g, or (gᵀ a)ᵀ where that moves fewer elements. The result is as large as `like`.
fn transposed_times(tape: &mut Tape, a: &Value, g: &Value, like: &Value) -> Result<Value, GraphError> {
    if tape.is_constant(a) || size(tape, a) <= size(tape, g) + size(tape, like) {
        let a = ops::transpose_last(tape, a)?;
        return ops::matmul(tape, &a, g);
    }
    let g = ops::transpose_last(tape, g)?;
    let product = ops::matmul(tape, &g, a)?;
    ops::transpose_last(tape, &product)
}

/// y = α a′ b′ + β c, where a′ and b′ may be transposed.
fn gemm(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.full_gradient()?;
    let number = |name| step.node.float(name).map_or(1.0, f64::from);
    let (alpha, beta) = (number("alpha"), number("beta"));
    let turned = |name| step.node.integer(name).unwrap_or(0);
    let (turned_a, turned_b) = (turned("transA"), turned("transB"));
    let (a, b) = (step.input(0)?, step.input(1)?);
    let mut shares = Vec::new();
    if step.wants(0) {
        let product = if turned_a == 0 {
            product(step.tape, &value, &b, 0, 1 - turned_b)?
        } else {
            product(step.tape, &b, &value, turned_b, 1)?
        };
        shares.push((0, Share::Whole(Gradient::new(product, factor * alpha))));
    }
    if step.wants(1) {
        let product = if turned_b == 0 {
            product(step.tape, &a, &value, 1 - turned_a, 0)?
        } else {
            product(step.tape, &value, &a, 1, turned_a)?
        };
        shares.push((1, Share::Whole(Gradient::new(product, factor * alpha))));
    }
    if step.wants(2) {
        shares.push(step.elementwise(2, &value, factor * beta)?);
    }
    Ok(shares)
}

fn product(tape: &mut Tape, a: &Value, b: &Value, turned_a: i64, turned_b: i64) -> Result<Value, GraphError> {
    let attributes = vec![
        float("alpha", 1.0),
        integer("transA", turned_a),
        integer("transB", turned_b),
    ];
    tape.node("Gemm", &[a, b], attributes)
}
