//! Shapes of operators on elements, and arithmetic with known integers.

use crate::graph::proto::DataType;
use crate::graph::shapes::inputs::Inputs;
use crate::graph::shapes::{Length, Tensor, broadcast};

/// Operators with the shape and the element type of their first input.
const LIKE_FIRST: &[&str] = &[
    "Abs",
    "Acos",
    "Asin",
    "Atan",
    "BatchNormalization",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "Dropout",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "GroupNormalization",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "InstanceNormalization",
    "LayerNormalization",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "Mish",
    "Neg",
    "Not",
    "PRelu",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
    "Sign",
    "Sin",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
];

/// Operators that broadcast their inputs.
const BROADCAST: &[&str] = &[
    "Add", "And", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Xor",
];

/// Comparisons, which broadcast their inputs and give truth values.
const COMPARISONS: &[&str] = &["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];

pub(crate) fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    let operator = inputs.node.op_type.as_str();
    let output = if LIKE_FIRST.contains(&operator) {
        let first = inputs.tensor(0)?;
        Tensor {
            integers: first.integers.clone().filter(|_| operator == "Identity"),
            ..first.clone()
        }
    } else if BROADCAST.contains(&operator) {
        Tensor {
            integers: arithmetic(operator, inputs),
            ..Tensor::new(inputs.element()?, common_shape(inputs)?)
        }
    } else if COMPARISONS.contains(&operator) {
        Tensor {
            integers: arithmetic(operator, inputs),
            ..Tensor::new(DataType::Bool, common_shape(inputs)?)
        }
    } else {
        match operator {
            "Where" => Tensor {
                integers: chosen(inputs),
                ..Tensor::new(inputs.tensor(1)?.element, common_shape(inputs)?)
            },
            "IsNaN" | "IsInf" => Tensor::new(DataType::Bool, inputs.shape(0)?.to_vec()),
            "Cast" | "CastLike" => cast(inputs)?,
            _ => return None,
        }
    };
    Some(vec![output])
}

fn common_shape(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let mut tensors = inputs.all()?.into_iter();
    let first = tensors.next()?.shape.clone();
    tensors.try_fold(first, |shape, tensor| broadcast(&shape, &tensor.shape))
}

fn cast(inputs: &Inputs<'_>) -> Option<Tensor> {
    let first = inputs.tensor(0)?;
    let element = if inputs.node.op_type == "Cast" {
        DataType::try_from(i32::try_from(inputs.node.integer("to")?).ok()?).ok()?
    } else {
        inputs.tensor(1)?.element
    };
    let keeps = matches!(element, DataType::Int64 | DataType::Int32);
    let integers = first.integers.clone().filter(|_| keeps);
    Some(Tensor::new(element, first.shape.clone()).with_integers(integers))
}

/// The integers that an operator makes of known integers.
fn arithmetic(operator: &str, inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let (one, other) = (inputs.integers(0)?, inputs.integers(1)?);
    let count = one.len().max(other.len());
    let at = |integers: &[Length], index: usize| match integers {
        [only] => Some(*only),
        _ => integers.get(index).copied(),
    };
    let combine = |index| {
        let (a, b) = (at(one, index)?, at(other, index)?);
        match operator {
            "Mul" => a.times(b),
            "Div" => a.divided_by(b).or_else(|| {
                let (a, b) = (a.number()?, b.number()?);
                Some(Length::fixed(a.checked_div(b)?))
            }),
            "Add" | "Sub" if a.of_batch == b.of_batch || b.factor == 0 => Some(Length {
                factor: if operator == "Add" {
                    a.factor + b.factor
                } else {
                    a.factor - b.factor
                },
                of_batch: a.of_batch,
            }),
            // The batch is at least 1, and no shape says −1 by it.
            "Equal" => Some(Length::fixed(i64::from(a == b))),
            _ => None,
        }
    };
    (0..count).map(combine).collect()
}

/// The integers that `Where` chooses by known truth values.
fn chosen(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let (condition, one, other) = (inputs.integers(0)?, inputs.integers(1)?, inputs.integers(2)?);
    if condition.len() != one.len() || one.len() != other.len() {
        return None;
    }
    let choose = |((condition, one), other): ((&Length, &Length), &Length)| {
        if condition.factor == 0 { *other } else { *one }
    };
    Some(condition.iter().zip(one).zip(other).map(choose).collect())
}
