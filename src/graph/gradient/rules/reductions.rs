//! Sums, means and extremes over axes, and what is normalized by a sum.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step, count_of};
use crate::graph::shapes::{Length, axis};
use crate::graph::{GraphError, Value};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "GlobalAveragePool" | "ReduceMean" => |step| linear(step, true),
        "LogSoftmax" => log_softmax,
        "ReduceL1" => |step| along(step, |step| ops::unary(step.tape, "Sign", &step.input(0)?), false),
        "ReduceL2" => |step| along(step, |step| step.input(0), true),
        "ReduceLogSumExp" => log_sum_exp,
        "GlobalMaxPool" | "ReduceMax" | "ReduceMin" => extreme,
        "ReduceSum" => |step| linear(step, false),
        "ReduceSumSquare" => sum_square,
        "Softmax" => softmax,
        _ => return None,
    })
}

/// The axes that a node sums over.
fn axes(step: &Step<'_>) -> Result<Vec<usize>, GraphError> {
    let rank = step.shape(0)?.len();
    if step.node.op_type.starts_with("Global") {
        return Ok((2..rank).collect());
    }
    let axes = step.optional_integers(1)?.filter(|axes| !axes.is_empty());
    match axes {
        Some(axes) => Ok(axes.into_iter().filter_map(|index| axis(index, rank)).collect()),
        None if step.node.integer("noop_with_empty_axes") == Some(1) => Ok(vec![]),
        None => Ok((0..rank).collect()),
    }
}

/// A tensor of the output's shape with the summed axes as axes of length 1.
fn kept(step: &mut Step<'_>, value: &Value) -> Result<Value, GraphError> {
    if step.node.integer("keepdims") != Some(0) || step.node.op_type.starts_with("Global") {
        return Ok(value.clone());
    }
    let rank = step.shape(0)?.len();
    let axes = axes(step)?;
    let value = ops::ranked(step.tape, value, rank - axes.len())?;
    let axes = step.tape.integers(&ops::signed(&axes));
    step.tape.node("Unsqueeze", &[&value, &axes], vec![])
}

fn linear(step: &mut Step<'_>, is_mean: bool) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let value = kept(step, &value)?;
    let mut divisor = Length::ONE;
    if is_mean {
        let shape = step.shape(0)?;
        for axis in axes(step)? {
            divisor = divisor.times(shape[axis]).unwrap_or(shape[axis]);
        }
    }
    let Some(divisor) = divisor.number() else {
        return Err(step.refusal("it is a mean over the batch"));
    };
    Ok(Share::sole(value, factor / count_of(divisor)))
}

/// The gradient times a value of the input's shape; `divided` by the output.
fn along(
    step: &mut Step<'_>,
    slope: fn(&mut Step<'_>) -> Result<Value, GraphError>,
    divided: bool,
) -> Shares {
    let Gradient { mut value, factor } = step.gradient()?;
    if divided {
        let output = step.output(0);
        value = ops::div_or_zero(step.tape, &value, &output)?;
    }
    let value = kept(step, &value)?;
    let slope = slope(step)?;
    Ok(Share::sole(ops::mul(step.tape, &value, &slope)?, factor))
}

fn sum_square(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let value = kept(step, &value)?;
    let input = step.input(0)?;
    Ok(Share::sole(ops::mul(step.tape, &value, &input)?, factor * 2.0))
}

/// The gradient is shared among equal extremes.
fn extreme(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (input, axes) = (step.input(0)?, axes(step)?);
    let (value, output) = (kept(step, &value)?, step.output(0));
    let output = kept(step, &output)?;
    let is_extreme = step.tape.node("Equal", &[&input, &output], vec![])?;
    let (zero, one) = (step.tape.number(0.0), step.tape.number(1.0));
    let ones = ops::choose(step.tape, &is_extreme, &one, &zero)?;
    let count = ops::sum(step.tape, &ones, &axes)?;
    let value = ops::div(step.tape, &value, &count)?;
    Ok(Share::sole(ops::mul(step.tape, &value, &ones)?, factor))
}

fn log_sum_exp(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (input, value, output) = (step.input(0)?, kept(step, &value)?, step.output(0));
    let output = kept(step, &output)?;
    let shifted = ops::sub(step.tape, &input, &output)?;
    let share = ops::unary(step.tape, "Exp", &shifted)?;
    Ok(Share::sole(ops::mul(step.tape, &value, &share)?, factor))
}

fn softmax_axis(step: &Step<'_>) -> Result<usize, GraphError> {
    let rank = step.shape(0)?.len();
    let index = step.node.integer("axis").unwrap_or(-1);
    axis(index, rank).ok_or_else(|| step.refusal("its axis does not exist"))
}

/// y = softmax(x): y (g − Σ g y).
fn softmax(step: &mut Step<'_>) -> Shares {
    let axis = softmax_axis(step)?;
    let Gradient { value, factor } = step.gradient()?;
    let output = step.output(0);
    let product = ops::mul(step.tape, &value, &output)?;
    let sum = ops::sum(step.tape, &product, &[axis])?;
    let rest = ops::sub(step.tape, &value, &sum)?;
    Ok(Share::sole(ops::mul(step.tape, &rest, &output)?, factor))
}

/// y = log softmax(x): g − eʸ Σ g.
fn log_softmax(step: &mut Step<'_>) -> Shares {
    let axis = softmax_axis(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let output = step.output(0);
    let sum = ops::sum(step.tape, &value, &[axis])?;
    let share = ops::unary(step.tape, "Exp", &output)?;
    let product = ops::mul(step.tape, &share, &sum)?;
    Ok(Share::sole(ops::sub(step.tape, &value, &product)?, factor))
}
