//! The backward pass: from the gradient of an output to the gradient of an input.

use std::collections::{HashMap, HashSet};

use crate::graph::gradient::ops;
use crate::graph::gradient::rules;
use crate::graph::gradient::step::{Gradient, Share, Step};
use crate::graph::gradient::tape::Tape;
use crate::graph::proto::NodeProto;
use crate::graph::{GraphError, Value};

/// Adds the gradient of `input` to the tape, from the gradients of tensors that depend on it.
pub(crate) fn differentiate(
    tape: &mut Tape,
    seeds: Vec<(Value, Gradient)>,
    input: &Value,
) -> Result<Value, GraphError> {
    let nodes = tape.nodes().to_vec();
    let depends = dependents(tape, &nodes, input);
    let mut shares: HashMap<String, Vec<Share>> = HashMap::new();
    for (value, gradient) in seeds {
        if depends.contains(value.name()) {
            let seed = Share::Whole(gradient);
            shares.entry(value.name().to_owned()).or_default().push(seed);
        }
    }
    for node in nodes.iter().rev() {
        if !node.output.iter().any(|name| shares.contains_key(name)) {
            continue;
        }
        let gradients = node
            .output
            .iter()
            .map(|name| {
                let total = |shares| total(tape, &Value::named(name), shares);
                shares.remove(name).map(total).transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let rule = rules::find(&node.op_type).ok_or_else(|| GraphError::NotDifferentiable {
            operator: node.op_type.clone(),
            node: node.name.clone(),
            reason: "it has no rule for its derivative".to_owned(),
        })?;
        let mut step = Step {
            tape: &mut *tape,
            node,
            gradients,
            depends: &depends,
        };
        for (index, share) in rule(&mut step)? {
            let name = &node.input[index];
            if depends.contains(name) {
                shares.entry(name.clone()).or_default().push(share);
            }
        }
    }
    let Some(shares) = shares.remove(input.name()) else {
        let zero = tape.number(0.0);
        let shape = tape.shape(input).to_vec();
        return ops::expand(tape, &zero, &shape, input);
    };
    let gradient = total(tape, input, shares)?;
    let value = scaled(tape, &gradient)?;
    let shape = tape.shape(input).to_vec();
    ops::expand(tape, &value, &shape, input)
}

/// The floating-point tensors that depend on `input` in a differentiable way, and `input`.
fn dependents(tape: &Tape, nodes: &[NodeProto], input: &Value) -> HashSet<String> {
    let mut depends = HashSet::from([input.name().to_owned()]);
    for node in nodes {
        let is_flat = rules::is_flat(&node.op_type);
        if is_flat || !node.input.iter().any(|name| depends.contains(name)) {
            continue;
        }
        for name in &node.output {
            if !name.is_empty() && tape.tensor(&Value::named(name)).is_float() {
                depends.insert(name.clone());
            }
        }
    }
    depends
}

/// The sum of all shares of the gradient of `value`.
fn total(tape: &mut Tape, value: &Value, shares: Vec<Share>) -> Result<Gradient, GraphError> {
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for share in shares {
        match share {
            Share::Whole(gradient) => whole.push(gradient),
            Share::Part { axis, from, gradient } => {
                let value = scaled(tape, &gradient)?;
                let length = tape.shape(&value)[axis].factor;
                parts.push(Part {
                    axis,
                    from,
                    to: from + length,
                    value,
                });
            }
        }
    }
    parts.sort_by_key(|part| (part.axis, part.from, part.to));
    for row in rows(parts) {
        whole.push(Gradient::new(joined(tape, row, value)?, 1.0));
    }
    // Gradients of equal factors first, small ones before large ones.
    let size = |gradient: &Gradient| {
        let shape = tape.shape(&gradient.value);
        shape.iter().map(|length| length.factor).product::<i64>()
    };
    whole.sort_by(|one, other| {
        let key = |gradient: &Gradient| (size(gradient), gradient.factor.abs());
        let (one, other) = (key(one), key(other));
        one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
    });
    let mut sum = whole.into_iter();
    let first = sum.next().expect("a gradient has at least one share");
    sum.try_fold(first, |sum, next| plus(tape, &sum, &next))
}

fn plus(tape: &mut Tape, one: &Gradient, other: &Gradient) -> Result<Gradient, GraphError> {
    let ratio = one.factor / other.factor;
    let is = |number: f64| ratio.to_bits() == number.to_bits();
    let value = if is(1.0) {
        ops::add(tape, &one.value, &other.value)?
    } else if is(-1.0) {
        ops::sub(tape, &other.value, &one.value)?
    } else {
        // The first is not larger than the second.
        let value = ops::scale(tape, &one.value, ratio)?;
        ops::add(tape, &value, &other.value)?
    };
    Ok(Gradient::new(value, other.factor))
}

/// The value of a gradient with its factor.
fn scaled(tape: &mut Tape, gradient: &Gradient) -> Result<Value, GraphError> {
    ops::scale(tape, &gradient.value, gradient.factor)
}

/// A gradient of a part of a tensor.
struct Part {
    axis: usize,
    from: i64,
    to: i64,
    value: Value,
}

/// Distributes parts, which are sorted, to rows without overlaps.
fn rows(parts: Vec<Part>) -> Vec<Vec<Part>> {
    let mut rows: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let fits = |row: &&mut Vec<Part>| {
            row.last()
                .is_some_and(|last| last.axis == part.axis && last.to <= part.from)
        };
        match rows.iter_mut().find(fits) {
            Some(row) => row.push(part),
            None => rows.push(vec![part]),
        }
    }
    rows
}

/// The parts of one row at their places in a tensor like `whole`, with zeros elsewhere.
fn joined(tape: &mut Tape, row: Vec<Part>, whole: &Value) -> Result<Value, GraphError> {
    let shape = tape.shape(whole).to_vec();
    let axis = row[0].axis;
    let end = shape[axis].factor;
    let mut pieces = Vec::new();
    let nexts: Vec<i64> = row.iter().skip(1).map(|part| part.from).chain([end]).collect();
    for (index, (part, next)) in row.iter().zip(nexts).enumerate() {
        let mut margins = vec![(0, 0); shape.len()];
        margins[axis] = (if index == 0 { part.from } else { 0 }, next - part.to);
        pieces.push(ops::pad(tape, &part.value, &margins)?);
    }
    ops::concat(tape, &pieces, axis)
}
