//! Normalization of feature maps.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step};
use crate::graph::shapes::axis;
use crate::graph::{GraphError, Value};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "BatchNormalization" => batch,
        "InstanceNormalization" => instance,
        "LayerNormalization" => layer,
        _ => return None,
    })
}

fn epsilon(step: &Step<'_>) -> f64 {
    step.node.float("epsilon").map_or(1e-5, f64::from)
}

/// A vector over the channels, in the shape of feature maps.
fn channels(step: &mut Step<'_>, index: usize) -> Result<Value, GraphError> {
    step.expect_constant(index, "parameters")?;
    let value = step.input(index)?;
    let mut shape = vec![crate::graph::shapes::Length::ONE; step.shape(0)?.len()];
    shape[1] = step.shape(index)?[0];
    ops::reshape(step.tape, &value, &shape)
}

/// At inference, the statistics are constants: y = scale (x − mean) / √(variance + ε) + bias.
fn batch(step: &mut Step<'_>) -> Shares {
    if step.node.integer("training_mode") == Some(1) {
        return Err(step.refusal("it is in training mode; export the network in evaluation mode"));
    }
    let Gradient { value, factor } = step.gradient()?;
    let (scale, variance) = (channels(step, 1)?, channels(step, 4)?);
    let variance = ops::shift(step.tape, &variance, epsilon(step))?;
    let deviation = ops::unary(step.tape, "Sqrt", &variance)?;
    let slope = ops::div(step.tape, &scale, &deviation)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(Share::sole(value, factor))
}

fn instance(step: &mut Step<'_>) -> Shares {
    let axes: Vec<_> = (2..step.shape(0)?.len()).collect();
    step.expect_constant(2, "bias")?;
    let scale = channels(step, 1)?;
    normalized(step, &axes, &scale)
}

fn layer(step: &mut Step<'_>) -> Shares {
    let rank = step.shape(0)?.len();
    let first = axis(step.node.integer("axis").unwrap_or(-1), rank);
    let first = first.ok_or_else(|| step.refusal("its axis does not exist"))?;
    step.expect_constant(1, "scale")?;
    let scale = step.input(1)?;
    normalized(step, &(first..rank).collect::<Vec<_>>(), &scale)
}

/// y = scale · n + bias with n = (x − mean) / deviation. For h = scale · gradient, the result is
/// (h − mean h − n · mean(h · n)) / deviation, with means over `axes`.
fn normalized(step: &mut Step<'_>, axes: &[usize], scale: &Value) -> Shares {
    let Gradient { value, factor } = step.full_gradient()?;
    let (input, epsilon) = (step.input(0)?, epsilon(step));
    let tape = &mut *step.tape;
    let mean = ops::mean(tape, &input, axes)?;
    let centred = ops::sub(tape, &input, &mean)?;
    let square = ops::mul(tape, &centred, &centred)?;
    let variance = ops::mean(tape, &square, axes)?;
    let variance = ops::shift(tape, &variance, epsilon)?;
    let deviation = ops::unary(tape, "Sqrt", &variance)?;
    let normal = ops::div(tape, &centred, &deviation)?;
    let weighted = ops::mul(tape, &value, scale)?;
    let mean = ops::mean(tape, &weighted, axes)?;
    let product = ops::mul(tape, &weighted, &normal)?;
    let product = ops::mean(tape, &product, axes)?;
    let along = ops::mul(tape, &normal, &product)?;
    let rest = ops::sub(tape, &weighted, &mean)?;
    let rest = ops::sub(tape, &rest, &along)?;
    let value = ops::div(tape, &rest, &deviation)?;
    Ok(Share::sole(value, factor))
}
