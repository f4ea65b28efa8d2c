//! Normalization of feature maps.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step, count_of};
use crate::graph::shapes::{Length, axis, elements};
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
    let value = step.input(index)?;
    let mut shape = vec![Length::ONE; step.shape(0)?.len()];
    shape[1] = step.shape(index)?[0];
    ops::reshape(step.tape, &value, &shape)
}

/// At inference, the statistics are constants: y = scale (x − mean) / √(variance + ε) + bias.
fn batch(step: &mut Step<'_>) -> Shares {
    if step.node.integer("training_mode") == Some(1) {
        return Err(step.refusal("it is in training mode; export the network in evaluation mode"));
    }
    for index in 1..5 {
        step.expect_constant(index, "parameters")?;
    }
    let Gradient { value, factor } = step.gradient()?;
    let (scale, variance) = (channels(step, 1)?, channels(step, 4)?);
    let variance = ops::shift(step.tape, &variance, epsilon(step))?;
    let deviation = ops::unary(step.tape, "Sqrt", &variance)?;
    let slope = ops::div(step.tape, &scale, &deviation)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(Share::sole(value, factor))
}

/// y = scale · n + bias, where both may depend on the code: styles do.
fn instance(step: &mut Step<'_>) -> Shares {
    let shape = step.shape(0)?;
    let axes: Vec<_> = (2..shape.len()).collect();
    let pixels = elements(&shape[2..]).and_then(Length::number);
    let pixels = pixels.ok_or_else(|| step.refusal("its input has an open height or width"))?;
    let Gradient { value, factor } = step.full_gradient()?;
    let parts = normalized(step, &axes, &value)?;
    let scale = channels(step, 1)?;
    let input = ops::mul(step.tape, &parts.input, &scale)?;
    let mut shares = Share::sole(input, factor);
    for (index, mean) in [(1, &parts.along), (2, &parts.mean)] {
        if step.wants(index) {
            let shape = step.shape(index)?;
            let sum = ops::sum(step.tape, mean, &[0])?;
            let value = ops::reshape(step.tape, &sum, &shape)?;
            let gradient = Gradient::new(value, factor * count_of(pixels));
            shares.push((index, Share::Whole(gradient)));
        }
    }
    Ok(shares)
}

fn layer(step: &mut Step<'_>) -> Shares {
    let rank = step.shape(0)?.len();
    let first = axis(step.node.integer("axis").unwrap_or(-1), rank);
    let first = first.ok_or_else(|| step.refusal("its axis does not exist"))?;
    step.expect_constant(1, "scale")?;
    let scale = step.input(1)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let weighted = ops::mul(step.tape, &value, &scale)?;
    let parts = normalized(step, &(first..rank).collect::<Vec<_>>(), &weighted)?;
    Ok(Share::sole(parts.input, factor))
}

/// What the gradient of normalized values becomes.
struct Parts {
    /// The gradient of the values before.
    input: Value,
    /// The mean of the gradient.
    mean: Value,
    /// The mean of the gradient times the normalized values.
    along: Value,
}

/// For n = (x − mean) / deviation and the gradient h of n, that of x is (h − mean h − n · mean(h · n)) / deviation, with means over
/// `axes`.
fn normalized(step: &mut Step<'_>, axes: &[usize], gradient: &Value) -> Result<Parts, GraphError> {
    let (input, epsilon) = (step.input(0)?, epsilon(step));
    let tape = &mut *step.tape;
    let mean = ops::mean(tape, &input, axes)?;
    let centred = ops::sub(tape, &input, &mean)?;
    let square = ops::mul(tape, &centred, &centred)?;
    let variance = ops::mean(tape, &square, axes)?;
    let variance = ops::shift(tape, &variance, epsilon)?;
    let deviation = ops::unary(tape, "Sqrt", &variance)?;
    let normal = ops::div(tape, &centred, &deviation)?;
    let mean = ops::mean(tape, gradient, axes)?;
    let product = ops::mul(tape, gradient, &normal)?;
    let along = ops::mean(tape, &product, axes)?;
    let product = ops::mul(tape, &normal, &along)?;
    let rest = ops::sub(tape, gradient, &mean)?;
    let rest = ops::sub(tape, &rest, &product)?;
    let input = ops::div(tape, &rest, &deviation)?;
    Ok(Parts { input, mean, along })
}
