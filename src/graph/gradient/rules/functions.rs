//! Functions of one element.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Shares, Step};
use crate::graph::{GraphError, Value, integer};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "Abs" => |step| times(step, |step| ops::unary(step.tape, "Sign", &step.input(0)?), 1.0),
        "Atan" => |step| {
            over(step, |step| {
                let square = square_of_input(step)?;
                ops::shift(step.tape, &square, 1.0)
            })
        },
        "Cast" => cast,
        "Clip" => clip,
        "Cos" => |step| times(step, |step| ops::unary(step.tape, "Sin", &step.input(0)?), -1.0),
        "Elu" => elu,
        "Erf" => |step| times(step, bell, std::f64::consts::FRAC_2_SQRT_PI),
        "Exp" => |step| times(step, |step| Ok(step.output(0)), 1.0),
        "Gelu" => gelu,
        "HardSigmoid" => hard_sigmoid,
        "HardSwish" => |step| times(step, hard_swish, 1.0),
        "LeakyRelu" => leaky_relu,
        "Log" => |step| over(step, |step| step.input(0)),
        "Neg" => |step| scaled(step, -1.0),
        "Reciprocal" => |step| times(step, |step| square(step, &step.output(0)), -1.0),
        "Relu" => |step| chosen(step, |step| positive(step, &step.output(0))),
        "Selu" => selu,
        "Sigmoid" => |step| times(step, sigmoid_slope, 1.0),
        "Sin" => |step| times(step, |step| ops::unary(step.tape, "Cos", &step.input(0)?), 1.0),
        "Softplus" => |step| {
            times(
                step,
                |step| ops::unary(step.tape, "Sigmoid", &step.input(0)?),
                1.0,
            )
        },
        "Softsign" => |step| {
            over(step, |step| {
                let input = step.input(0)?;
                let size = ops::unary(step.tape, "Abs", &input)?;
                let size = ops::shift(step.tape, &size, 1.0)?;
                square(step, &size)
            })
        },
        "Sqrt" => sqrt,
        "Tan" => |step| {
            times(
                step,
                |step| {
                    let square = square(step, &step.output(0))?;
                    ops::shift(step.tape, &square, 1.0)
                },
                1.0,
            )
        },
        "Tanh" => |step| {
            times(
                step,
                |step| {
                    let square = square(step, &step.output(0))?;
                    ops::complement(step.tape, 1.0, &square)
                },
                1.0,
            )
        },
        _ => return None,
    })
}

type Slope = fn(&mut Step<'_>) -> Result<Value, GraphError>;

/// The gradient times a number.
fn scaled(step: &mut Step<'_>, number: f64) -> Shares {
    let gradient = step.gradient()?;
    Ok(vec![step.elementwise(
        0,
        &gradient.value,
        gradient.factor * number,
    )?])
}

/// The gradient times a slope and a number.
fn times(step: &mut Step<'_>, slope: Slope, number: f64) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let slope = slope(step)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(vec![step.elementwise(0, &value, factor * number)?])
}

/// The gradient divided by a value.
fn over(step: &mut Step<'_>, divisor: Slope) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let divisor = divisor(step)?;
    let value = ops::div(step.tape, &value, &divisor)?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

/// The gradient where a condition holds.
fn chosen(step: &mut Step<'_>, condition: Slope) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let condition = condition(step)?;
    let zero = step.tape.number(0.0);
    let value = ops::choose(step.tape, &condition, &value, &zero)?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

fn square(step: &mut Step<'_>, value: &Value) -> Result<Value, GraphError> {
    ops::mul(step.tape, value, value)
}

fn square_of_input(step: &mut Step<'_>) -> Result<Value, GraphError> {
    let input = step.input(0)?;
    square(step, &input)
}

fn positive(step: &mut Step<'_>, value: &Value) -> Result<Value, GraphError> {
    let zero = step.tape.number(0.0);
    step.tape.node("Greater", &[value, &zero], vec![])
}

fn parameter(step: &Step<'_>, name: &str, default: f64) -> f64 {
    step.node.float(name).map_or(default, f64::from)
}

fn cast(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let element: i32 = step.tape.tensor(&step.input(0)?).element.into();
    let element = integer("to", i64::from(element));
    let value = step.tape.node("Cast", &[&value], vec![element])?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

/// The elements within the limits, and those at a limit, are unchanged.
fn clip(step: &mut Step<'_>) -> Shares {
    step.expect_constant(1, "lower limit")?;
    step.expect_constant(2, "upper limit")?;
    chosen(step, |step| {
        let (input, output) = (step.input(0)?, step.output(0));
        step.tape.node("Equal", &[&input, &output], vec![])
    })
}

fn sqrt(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let output = step.output(0);
    let value = ops::div_or_zero(step.tape, &value, &output)?;
    Ok(vec![step.elementwise(0, &value, factor * 0.5)?])
}

fn leaky_relu(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let slope = parameter(step, "alpha", 0.01);
    let input = step.input(0)?;
    let is_positive = positive(step, &input)?;
    let (one, slope) = (step.tape.number(1.0), step.tape.number(slope));
    let slope = ops::choose(step.tape, &is_positive, &one, &slope)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

/// y = α(eˣ − 1) below 0: the slope there is y + α.
fn elu(step: &mut Step<'_>) -> Shares {
    exponential_below_zero(step, parameter(step, "alpha", 1.0), 1.0)
}

fn selu(step: &mut Step<'_>) -> Shares {
    let gamma = parameter(step, "gamma", 1.050_700_987_355_480_5);
    let alpha = parameter(step, "alpha", 1.673_263_242_354_377_2);
    exponential_below_zero(step, alpha * gamma, gamma)
}

fn exponential_below_zero(step: &mut Step<'_>, below: f64, above: f64) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (input, output) = (step.input(0)?, step.output(0));
    let is_positive = positive(step, &input)?;
    let above = step.tape.number(above);
    let below = ops::shift(step.tape, &output, below)?;
    let slope = ops::choose(step.tape, &is_positive, &above, &below)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

/// y(1 − y).
fn sigmoid_slope(step: &mut Step<'_>) -> Result<Value, GraphError> {
    let output = step.output(0);
    let rest = ops::complement(step.tape, 1.0, &output)?;
    ops::mul(step.tape, &output, &rest)
}

/// exp(−x²).
fn bell(step: &mut Step<'_>) -> Result<Value, GraphError> {
    let square = square_of_input(step)?;
    let square = ops::unary(step.tape, "Neg", &square)?;
    ops::unary(step.tape, "Exp", &square)
}

/// Φ(x) + x φ(x), with the distribution Φ and the density φ of a standard normal variable.
fn gelu(step: &mut Step<'_>) -> Shares {
    if step.node.text("approximate").is_some_and(|kind| kind != "none") {
        return Err(step.refusal("its approximation has no rule; export it without one"));
    }
    times(
        step,
        |step| {
            let input = step.input(0)?;
            let scaled = ops::scale(step.tape, &input, std::f64::consts::FRAC_1_SQRT_2)?;
            let erf = ops::unary(step.tape, "Erf", &scaled)?;
            let erf = ops::scale(step.tape, &erf, 0.5)?;
            let distribution = ops::shift(step.tape, &erf, 0.5)?;
            let square = square(step, &scaled)?;
            let square = ops::unary(step.tape, "Neg", &square)?;
            let density = ops::unary(step.tape, "Exp", &square)?;
            let density = ops::scale(
                step.tape,
                &density,
                0.5 * std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::FRAC_1_SQRT_2,
            )?;
            let term = ops::mul(step.tape, &input, &density)?;
            ops::add(step.tape, &distribution, &term)
        },
        1.0,
    )
}

fn hard_sigmoid(step: &mut Step<'_>) -> Shares {
    let alpha = parameter(step, "alpha", 0.2);
    let Gradient { value, factor } = step.gradient()?;
    let inside = between_zero_and_one(step, &step.output(0))?;
    let zero = step.tape.number(0.0);
    let value = ops::choose(step.tape, &inside, &value, &zero)?;
    Ok(vec![step.elementwise(0, &value, factor * alpha)?])
}

fn between_zero_and_one(step: &mut Step<'_>, value: &Value) -> Result<Value, GraphError> {
    let (zero, one) = (step.tape.number(0.0), step.tape.number(1.0));
    let above = step.tape.node("Greater", &[value, &zero], vec![])?;
    let below = step.tape.node("Less", &[value, &one], vec![])?;
    step.tape.node("And", &[&above, &below], vec![])
}

/// x · min(max(0, x / 6 + 1/2), 1): the slope is the second factor, plus x / 6 where that one is between 0 and 1.
fn hard_swish(step: &mut Step<'_>) -> Result<Value, GraphError> {
    let input = step.input(0)?;
    let sixth = ops::scale(step.tape, &input, 1.0 / 6.0)?;
    let linear = ops::shift(step.tape, &sixth, 0.5)?;
    let (zero, one) = (step.tape.number(0.0), step.tape.number(1.0));
    let gate = step.tape.node("Clip", &[&linear, &zero, &one], vec![])?;
    let inside = between_zero_and_one(step, &linear)?;
    let extra = ops::choose(step.tape, &inside, &sixth, &zero)?;
    ops::add(step.tape, &gate, &extra)
}
