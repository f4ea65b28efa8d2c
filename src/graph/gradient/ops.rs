//! Operators on values of a tape: what the rules of derivatives are written with.

use crate::graph::gradient::resampling::Matrix;
use crate::graph::gradient::tape::Tape;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Value, integer, integers};

type Made = Result<Value, GraphError>;

pub(crate) fn add(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    tape.node("Add", &[a, b], vec![])
}

pub(crate) fn sub(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    tape.node("Sub", &[a, b], vec![])
}

pub(crate) fn mul(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    tape.node("Mul", &[a, b], vec![])
}

pub(crate) fn div(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    tape.node("Div", &[a, b], vec![])
}

/// `a` / `b`, or 0 where `b` is 0: the derivative of a root of 0, which does not exist, counts as 0.
///
/// Distances in drawn or rendered images are such roots. One pixel at the distance 0 would make the whole gradient NaN.
pub(crate) fn div_or_zero(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    let quotient = div(tape, a, b)?;
    let zero = tape.number(0.0);
    let is_zero = tape.node("Equal", &[b, &zero], vec![])?;
    choose(tape, &is_zero, &zero, &quotient)
}

/// A function of one input and no attributes.
pub(crate) fn unary(tape: &mut Tape, operator: &str, a: &Value) -> Made {
    tape.node(operator, &[a], vec![])
}

/// `a` times a number.
pub(crate) fn scale(tape: &mut Tape, a: &Value, number: f64) -> Made {
    let number = tape.number(number);
    mul(tape, a, &number)
}

/// `a` plus a number.
pub(crate) fn shift(tape: &mut Tape, a: &Value, number: f64) -> Made {
    let number = tape.number(number);
    add(tape, a, &number)
}

/// A number minus `a`.
pub(crate) fn complement(tape: &mut Tape, number: f64, a: &Value) -> Made {
    let number = tape.number(number);
    sub(tape, &number, a)
}

/// `a` where the condition holds, `b` elsewhere.
pub(crate) fn choose(tape: &mut Tape, condition: &Value, a: &Value, b: &Value) -> Made {
    tape.node("Where", &[condition, a, b], vec![])
}

/// The sum over axes, which keep the length 1.
pub(crate) fn sum(tape: &mut Tape, a: &Value, axes: &[usize]) -> Made {
    reduce(tape, "ReduceSum", a, axes)
}

/// The mean over axes, which keep the length 1.
pub(crate) fn mean(tape: &mut Tape, a: &Value, axes: &[usize]) -> Made {
    reduce(tape, "ReduceMean", a, axes)
}

fn reduce(tape: &mut Tape, operator: &str, a: &Value, axes: &[usize]) -> Made {
    if axes.is_empty() {
        return Ok(a.clone());
    }
    let axes = tape.integers(&signed(axes));
    tape.node(operator, &[a, &axes], vec![integer("keepdims", 1)])
}

/// The elements in another shape, which has at most one axis of the batch.
pub(crate) fn reshape(tape: &mut Tape, a: &Value, shape: &[Length]) -> Made {
    if tape.shape(a) == shape {
        return Ok(a.clone());
    }
    let target: Vec<_> = shape.iter().map(|length| length.number().unwrap_or(-1)).collect();
    let target = tape.integers(&target);
    tape.node("Reshape", &[a, &target], vec![])
}

/// The axes in another order.
pub(crate) fn transpose(tape: &mut Tape, a: &Value, order: &[usize]) -> Made {
    if order.iter().copied().eq(0..order.len()) {
        return Ok(a.clone());
    }
    tape.node("Transpose", &[a], vec![integers("perm", &signed(order))])
}

/// The matrices of the last two axes transposed.
pub(crate) fn transpose_last(tape: &mut Tape, a: &Value) -> Made {
    let rank = tape.shape(a).len();
    let mut shape = tape.shape(a).to_vec();
    shape.swap(rank - 2, rank - 1);
    if shape[rank - 2..].contains(&Length::ONE) {
        return reshape(tape, a, &shape);
    }
    let mut order: Vec<_> = (0..rank).collect();
    order.swap(rank - 2, rank - 1);
    transpose(tape, a, &order)
}

/// The sum over the axes along which a tensor of this shape was broadcast to the shape of `a`.
pub(crate) fn sum_to(tape: &mut Tape, a: &Value, shape: &[Length]) -> Made {
    let whole = tape.shape(a).to_vec();
    let missing = whole.len() - shape.len();
    let target = |axis: usize| axis.checked_sub(missing).map(|axis| shape[axis]);
    let axes: Vec<_> = (0..whole.len())
        .filter(|&axis| target(axis).is_none_or(|length| length != whole[axis]))
        .collect();
    let value = sum(tape, a, &axes)?;
    reshape(tape, &value, shape)
}

/// `a` with leading axes of length 1 up to this number of axes.
pub(crate) fn ranked(tape: &mut Tape, a: &Value, rank: usize) -> Made {
    let missing = rank.saturating_sub(tape.shape(a).len());
    if missing == 0 {
        return Ok(a.clone());
    }
    let axes = tape.integers(&signed(&(0..missing).collect::<Vec<_>>()));
    tape.node("Unsqueeze", &[a, &axes], vec![])
}

/// The part `from..to` along an axis.
pub(crate) fn slice(tape: &mut Tape, a: &Value, axis: usize, from: i64, to: i64) -> Made {
    if from == 0 && tape.shape(a)[axis] == Length::fixed(to) {
        return Ok(a.clone());
    }
    let [from, to, axis] = [from, to, signed(&[axis])[0]].map(|number| tape.integers(&[number]));
    tape.node("Slice", &[a, &from, &to, &axis], vec![])
}

/// Zeros around `a`; negative numbers cut off.
pub(crate) fn pad(tape: &mut Tape, a: &Value, margins: &[(i64, i64)]) -> Made {
    if margins.iter().all(|&margin| margin == (0, 0)) {
        return Ok(a.clone());
    }
    let pads: Vec<_> = margins
        .iter()
        .map(|margin| margin.0)
        .chain(margins.iter().map(|margin| margin.1))
        .collect();
    let pads = tape.integers(&pads);
    tape.node("Pad", &[a, &pads], vec![])
}

/// Values one after another along an axis.
pub(crate) fn concat(tape: &mut Tape, values: &[Value], axis: usize) -> Made {
    if let [only] = values {
        return Ok(only.clone());
    }
    let inputs: Vec<_> = values.iter().collect();
    tape.node("Concat", &inputs, vec![integer("axis", signed(&[axis])[0])])
}

/// The product of the matrices in the last two axes.
pub(crate) fn matmul(tape: &mut Tape, a: &Value, b: &Value) -> Made {
    tape.node("MatMul", &[a, b], vec![])
}

/// `a` repeated along axes of length 1 to a shape. An axis of the batch is repeated by the shape of `like`.
pub(crate) fn expand(tape: &mut Tape, a: &Value, shape: &[Length], like: &Value) -> Made {
    if tape.shape(a) == shape {
        return Ok(a.clone());
    }
    let a = ranked(tape, a, shape.len())?;
    let grows = |(have, want): (&Length, &Length)| have != want && want.of_batch;
    let target = if tape.shape(&a).iter().zip(shape).any(grows) {
        tape.node("Shape", &[like], vec![])?
    } else {
        // A length of 1 in the target leaves the axis as it is.
        let target: Vec<_> = shape.iter().map(|length| length.number().unwrap_or(1)).collect();
        tape.integers(&target)
    };
    tape.node("Expand", &[&a, &target], vec![])
}

/// The transposed matrix applied to an axis: the gradient of the function's input for a gradient of its output.
pub(crate) fn apply_transposed(tape: &mut Tape, gradient: &Value, axis: usize, matrix: &Matrix) -> Made {
    let rank = tape.shape(gradient).len();
    if axis + 1 == rank {
        let matrix = tape.constant(&matrix.elements().clone().into_dyn());
        return matmul(tape, gradient, &matrix);
    }
    if axis + 2 == rank {
        let transposed = matrix.elements().t().as_standard_layout().into_owned();
        let matrix = tape.constant(&transposed.into_dyn());
        return matmul(tape, &matrix, gradient);
    }
    let mut order: Vec<_> = (0..rank).collect();
    order.swap(axis, rank - 1);
    let moved = transpose(tape, gradient, &order)?;
    let made = apply_transposed(tape, &moved, rank - 1, matrix)?;
    transpose(tape, &made, &order)
}

/// Images resized along their last two axes.
pub(crate) fn resample(tape: &mut Tape, image: &Value, rows: &Matrix, columns: &Matrix) -> Made {
    let rows = tape.constant(&rows.elements().clone().into_dyn());
    let columns = columns.elements().t().as_standard_layout().into_owned();
    let columns = tape.constant(&columns.into_dyn());
    let wide = matmul(tape, image, &columns)?;
    matmul(tape, &rows, &wide)
}

/// Axes as ONNX writes them.
pub(crate) fn signed(axes: &[usize]) -> Vec<i64> {
    axes.iter()
        .map(|&axis| i64::try_from(axis).expect("a tensor has few axes"))
        .collect()
}
