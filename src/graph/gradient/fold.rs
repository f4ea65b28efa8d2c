//! Operators on constants, computed when the graph is made.

use ndarray::{ArrayD, Axis, IxDyn, Slice, Zip};

use crate::graph::gradient::resampling::Matrix;
use crate::graph::proto::NodeProto;
use crate::graph::shapes::{Length, Range, Tensor, axis};

/// The output of a node of constant f32 inputs, with the shape that is known. `None` if the operator is not one of the few that
/// exports apply to weights.
pub(crate) fn fold(
    node: &NodeProto,
    inputs: &[Option<ArrayD<f32>>],
    integers: &[Option<Vec<i64>>],
    output: &Tensor,
) -> Option<ArrayD<f32>> {
    let shape: Vec<usize> = output
        .shape
        .iter()
        .map(|&length| side(length))
        .collect::<Option<_>>()?;
    let shape = IxDyn(&shape);
    let first = inputs.first()?.as_ref()?;
    let broadcast = |combine: fn(f32, f32) -> f32| {
        let second = inputs.get(1)?.as_ref()?;
        let (one, other) = (first.broadcast(shape.clone())?, second.broadcast(shape.clone())?);
        Some(Zip::from(one).and(other).map_collect(|&a, &b| combine(a, b)))
    };
    match node.op_type.as_str() {
        "Add" => broadcast(|a, b| a + b),
        "Sub" => broadcast(|a, b| a - b),
        "Mul" => broadcast(|a, b| a * b),
        "Div" => broadcast(|a, b| a / b),
        // Weights are squared to be normalized, and powf takes much longer than a product.
        "Pow" if matches!(inputs.get(1), Some(Some(two)) if two.iter().all(|two| two.to_bits() == 2.0_f32.to_bits())) => {
            Some(first.mapv(|value| value * value))
        }
        "Pow" => broadcast(f32::powf),
        "Sqrt" => Some(first.mapv(f32::sqrt)),
        "Reciprocal" => Some(first.mapv(f32::recip)),
        "Neg" => Some(-first),
        "Cast" => Some(first.clone()),
        "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" => first
            .as_standard_layout()
            .into_owned()
            .into_shape_with_order(shape)
            .ok(),
        "Expand" => Some(first.broadcast(shape)?.to_owned()),
        "Transpose" => {
            let order: Vec<usize> = match node.integers("perm") {
                Some(order) => order
                    .iter()
                    .map(|&axis| usize::try_from(axis).ok())
                    .collect::<Option<_>>()?,
                None => (0..first.ndim()).rev().collect(),
            };
            Some(
                first
                    .view()
                    .permuted_axes(order)
                    .as_standard_layout()
                    .into_owned(),
            )
        }
        "ReduceSum" | "ReduceMean" => reduce(node, first, integers.get(1)?.as_deref(), shape),
        "Resize" => resize(node, first, inputs.get(2)?.as_ref(), shape),
        "Slice" => slice(node, first, integers),
        _ => None,
    }
}

/// A slice along one axis, with the step 1.
fn slice(node: &NodeProto, values: &ArrayD<f32>, integers: &[Option<Vec<i64>>]) -> Option<ArrayD<f32>> {
    let given = |index: usize| integers.get(index)?.as_deref();
    let ([start], [end], [along]) = (given(1)?, given(2)?, given(3)?) else {
        return None;
    };
    if node.input.len() > 4 {
        return None;
    }
    let along = axis(*along, values.ndim())?;
    let length = i64::try_from(values.shape()[along]).ok()?;
    let range = Range::of_slice(length, *start, *end, 1)?;
    let from = usize::try_from(range.from).ok()?;
    let slice = Slice::from(from..from + usize::try_from(range.count).ok()?);
    Some(values.slice_axis(Axis(along), slice).to_owned())
}

fn resize(
    node: &NodeProto,
    values: &ArrayD<f32>,
    scales: Option<&ArrayD<f32>>,
    shape: IxDyn,
) -> Option<ArrayD<f32>> {
    if node.attribute("axes").is_some() {
        return None;
    }
    let mut values = values.clone();
    for along in 0..values.ndim() {
        let sides = [values.shape()[along], shape[along]].map(|side| i64::try_from(side).ok());
        let (inputs, outputs) = (sides[0]?, sides[1]?);
        if inputs != outputs {
            let scale = scales.and_then(|scales| scales.get(along)).copied();
            values = Matrix::of_resize(node, inputs, outputs, scale)?.apply(&values, along);
        }
    }
    Some(values)
}

fn reduce(node: &NodeProto, values: &ArrayD<f32>, axes: Option<&[i64]>, shape: IxDyn) -> Option<ArrayD<f32>> {
    let mut axes: Vec<usize> = axes?
        .iter()
        .map(|&index| axis(index, values.ndim()))
        .collect::<Option<_>>()?;
    if axes.is_empty() {
        return None;
    }
    axes.sort_unstable();
    let mut sum = values.clone();
    for axis in axes.into_iter().rev() {
        sum = sum.sum_axis(Axis(axis));
    }
    if node.op_type == "ReduceMean" {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the number of elements of a constant is small"
        )]
        let count = (values.len() / sum.len().max(1)) as f32;
        sum /= count;
    }
    sum.into_shape_with_order(shape).ok()
}

/// A length as an array has it.
fn side(length: Length) -> Option<usize> {
    usize::try_from(length.number()?).ok()
}
