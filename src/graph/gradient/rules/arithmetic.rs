//! Operators on the elements of several tensors.

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Shares, Step, count_of};
use crate::graph::{GraphError, Value};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "Add" | "Sum" => |step| sum(step, 1.0),
        "Div" => div,
        "Max" | "Min" => extreme,
        "Mean" => |step| {
            let count = i64::try_from(step.node.input.len()).unwrap_or(1);
            sum(step, 1.0 / count_of(count))
        },
        "Mul" => mul,
        "Pow" => pow,
        "PRelu" => prelu,
        "Sub" => sub,
        "Where" => choice,
        _ => return None,
    })
}

fn sum(step: &mut Step<'_>, number: f64) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let wanted: Vec<_> = (0..step.node.input.len())
        .filter(|&index| step.wants(index))
        .collect();
    wanted
        .into_iter()
        .map(|index| step.elementwise(index, &value, factor * number))
        .collect()
}

fn sub(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let mut shares = Vec::new();
    for (index, sign) in [(0, 1.0), (1, -1.0)] {
        if step.wants(index) {
            shares.push(step.elementwise(index, &value, factor * sign)?);
        }
    }
    Ok(shares)
}

fn mul(step: &mut Step<'_>) -> Shares {
    let mut shares = Vec::new();
    for (index, other) in [(0, 1), (1, 0)] {
        if step.wants(index) {
            let other = step.input(other)?;
            let Gradient { value, factor } = product(step, &other)?;
            shares.push(step.elementwise(index, &value, factor)?);
        }
    }
    Ok(shares)
}

/// The gradient times a value. A number becomes part of the factor.
fn product(step: &mut Step<'_>, other: &Value) -> Result<Gradient, GraphError> {
    let Gradient { value, factor } = step.gradient()?;
    if let Some(number) = step.tape.number_of(other) {
        return Ok(Gradient::new(value, factor * number));
    }
    Ok(Gradient::new(ops::mul(step.tape, &value, other)?, factor))
}

/// y = a / b: dy/da = 1 / b, dy/db = −y / b.
fn div(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let divisor = step.input(1)?;
    let mut shares = Vec::new();
    let (over, factor) = match step.tape.number_of(&divisor) {
        Some(number) => (value, factor / number),
        None => (ops::div(step.tape, &value, &divisor)?, factor),
    };
    if step.wants(0) {
        shares.push(step.elementwise(0, &over, factor)?);
    }
    if step.wants(1) {
        let output = step.output(0);
        let value = ops::mul(step.tape, &over, &output)?;
        shares.push(step.elementwise(1, &value, -factor)?);
    }
    Ok(shares)
}

/// The greatest or the least gets the gradient. If several are equal, the first of them does.
fn extreme(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (output, zero) = (step.output(0), step.tape.number(0.0));
    let mut shares = Vec::new();
    let mut rest = value;
    let count = step.node.input.len();
    for index in 0..count {
        let input = step.input(index)?;
        let is_chosen = step.tape.node("Equal", &[&input, &output], vec![])?;
        if step.wants(index) {
            let value = ops::choose(step.tape, &is_chosen, &rest, &zero)?;
            shares.push(step.elementwise(index, &value, factor)?);
        }
        if (index + 1..count).any(|index| step.wants(index)) {
            rest = ops::choose(step.tape, &is_chosen, &zero, &rest)?;
        }
    }
    Ok(shares)
}

/// y = xⁿ with a constant n: dy/dx = n xⁿ⁻¹, which is n y/x. A root of 0 counts as flat.
fn pow(step: &mut Step<'_>) -> Shares {
    step.expect_constant(1, "exponent")?;
    let exponent = step.input(1)?;
    let Some(exponent) = step.tape.number_of(&exponent) else {
        return Err(step.refusal("its exponent is not one number"));
    };
    let Gradient { value, factor } = step.gradient()?;
    let input = step.input(0)?;
    let is = |number: f64| exponent.to_bits() == number.to_bits();
    let (value, number) = if is(2.0) {
        (ops::mul(step.tape, &value, &input)?, 2.0)
    } else if is(-1.0) {
        let output = step.output(0);
        let square = ops::mul(step.tape, &output, &output)?;
        (ops::mul(step.tape, &value, &square)?, -1.0)
    } else if is(0.5) {
        let output = step.output(0);
        (ops::div_or_zero(step.tape, &value, &output)?, 0.5)
    } else if is(-0.5) {
        let ratio = ops::div(step.tape, &step.output(0), &input)?;
        (ops::mul(step.tape, &value, &ratio)?, -0.5)
    } else if exponent > 0.0 && exponent < 1.0 {
        let ratio = ops::div_or_zero(step.tape, &step.output(0), &input)?;
        (ops::mul(step.tape, &value, &ratio)?, exponent)
    } else {
        let less = step.tape.number(exponent - 1.0);
        let power = step.tape.node("Pow", &[&input, &less], vec![])?;
        (ops::mul(step.tape, &value, &power)?, exponent)
    };
    Ok(vec![step.elementwise(0, &value, factor * number)?])
}

/// y = x where x > 0, slope · x elsewhere.
fn prelu(step: &mut Step<'_>) -> Shares {
    step.expect_constant(1, "slope")?;
    let Gradient { value, factor } = step.gradient()?;
    let (input, slope) = (step.input(0)?, step.input(1)?);
    let (zero, one) = (step.tape.number(0.0), step.tape.number(1.0));
    let is_positive = step.tape.node("Greater", &[&input, &zero], vec![])?;
    let slope = ops::choose(step.tape, &is_positive, &one, &slope)?;
    let value = ops::mul(step.tape, &value, &slope)?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

fn choice(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (condition, zero) = (step.input(0)?, step.tape.number(0.0));
    let mut shares = Vec::new();
    for (index, one, other) in [(1, &value, &zero), (2, &zero, &value)] {
        if step.wants(index) {
            let value = ops::choose(step.tape, &condition, one, other)?;
            shares.push(step.elementwise(index, &value, factor)?);
        }
    }
    Ok(shares)
}
