//! Operators that take, join or add parts of an axis.

use crate::graph::gradient::ops;
use crate::graph::gradient::resampling::Matrix;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step};
use crate::graph::shapes::{Length, Range, axis, margins, slice_ranges};
use crate::graph::{GraphError, Value};

/// Most indices of `Gather` that become slices of their own; more become a product with a matrix.
const MOST_SLICES: usize = 64;

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "Concat" => concat,
        "Gather" => gather,
        "Pad" => pad,
        "Slice" => slice,
        "Split" => split,
        _ => return None,
    })
}

fn whole(value: Value, factor: f64) -> Share {
    Share::Whole(Gradient::new(value, factor))
}

fn node_axis(step: &Step<'_>, default: i64) -> Result<usize, GraphError> {
    let rank = step.shape(0)?.len();
    let index = step.node.integer("axis").unwrap_or(default);
    axis(index, rank).ok_or_else(|| step.refusal("its axis does not exist"))
}

fn concat(step: &mut Step<'_>) -> Shares {
    let axis = node_axis(step, 0)?;
    let gradient = step.gradient()?;
    let rank = step.shape(0)?.len();
    let value = ops::ranked(step.tape, &gradient.value, rank)?;
    let is_constant = step.tape.shape(&value)[axis] == Length::ONE;
    let mut from = 0;
    let mut shares = Vec::new();
    for index in 0..step.node.input.len() {
        let length = step.shape(index)?[axis].factor;
        if step.wants(index) {
            let part = if is_constant {
                value.clone()
            } else {
                ops::slice(step.tape, &value, axis, from, from + length)?
            };
            shares.push((index, whole(part, gradient.factor)));
        }
        from += length;
    }
    Ok(shares)
}

fn split(step: &mut Step<'_>) -> Shares {
    let axis = node_axis(step, 0)?;
    let mut from = 0;
    let mut shares = Vec::new();
    for (index, gradient) in step.gradients.clone().into_iter().enumerate() {
        let output = step.output(index);
        if output.name().is_empty() {
            return Err(step.refusal("it leaves out an output"));
        }
        if let Some(gradient) = gradient {
            let gradient = step.full(&gradient, &output)?;
            shares.push((0, Share::Part { axis, from, gradient }));
        }
        from += step.tape.shape(&output)[axis].factor;
    }
    Ok(shares)
}

fn gather(step: &mut Step<'_>) -> Shares {
    let axis = node_axis(step, 0)?;
    let shape = step.shape(0)?;
    let Some(length) = shape[axis].number() else {
        return Err(step.refusal("it takes items of the batch"));
    };
    let indices: Vec<_> = step
        .integers(1)?
        .into_iter()
        .map(|index| if index < 0 { index + length } else { index })
        .collect();
    let Gradient { value, factor } = step.full_gradient()?;
    let mut flat = shape;
    flat[axis] = Length::fixed(i64::try_from(indices.len()).unwrap_or(0));
    let value = ops::reshape(step.tape, &value, &flat)?;
    if indices.len() > MOST_SLICES {
        let matrix = Matrix::of_indices(&indices, length);
        let value = ops::apply_transposed(step.tape, &value, axis, &matrix)?;
        return Ok(vec![(0, whole(value, factor))]);
    }
    let mut shares = Vec::new();
    let mut at = 0;
    while at < indices.len() {
        let mut end = at + 1;
        while end < indices.len() && indices[end] == indices[end - 1] + 1 {
            end += 1;
        }
        let [first, behind] = [at, end].map(|index| i64::try_from(index).unwrap_or(0));
        let value = ops::slice(step.tape, &value, axis, first, behind)?;
        let gradient = Gradient::new(value, factor);
        let from = indices[at];
        shares.push((0, Share::Part { axis, from, gradient }));
        at = end;
    }
    Ok(shares)
}

fn slice(step: &mut Step<'_>) -> Shares {
    let shape = step.shape(0)?;
    let ranges = slice_ranges(
        &shape,
        &step.integers(1)?,
        &step.integers(2)?,
        step.optional_integers(3)?.as_deref(),
        step.optional_integers(4)?.as_deref(),
    );
    let ranges = ranges.ok_or_else(|| step.refusal("it takes items of the batch"))?;
    let Gradient { mut value, factor } = step.full_gradient()?;
    if let [(axis, range)] = ranges.as_slice()
        && range.step == 1
    {
        let gradient = Gradient::new(value, factor);
        let (axis, from) = (*axis, range.from);
        return Ok(vec![(0, Share::Part { axis, from, gradient })]);
    }
    let mut around = vec![(0, 0); shape.len()];
    for (axis, range) in ranges {
        let length = shape[axis].factor;
        let last;
        (value, last) = with_gaps(step, value, axis, range)?;
        let first = range.from.min(range.from + (range.count - 1) * range.step);
        around[axis] = (first, length - first - last);
    }
    Ok(vec![(0, whole(ops::pad(step.tape, &value, &around)?, factor))])
}

/// The elements of a range in ascending order, with zeros for those that it steps over, and their number.
fn with_gaps(
    step: &mut Step<'_>,
    mut value: Value,
    axis: usize,
    range: Range,
) -> Result<(Value, i64), GraphError> {
    let (gap, rank) = (range.step.abs(), step.tape.shape(&value).len());
    if range.step < 0 {
        let [start, end, backward] = [-1, i64::MIN, -1].map(|number| step.tape.integers(&[number]));
        let at = step.tape.integers(&ops::signed(&[axis]));
        value = step
            .tape
            .node("Slice", &[&value, &start, &end, &at, &backward], vec![])?;
    }
    if gap == 1 {
        return Ok((value, range.count));
    }
    let shape = step.tape.shape(&value).to_vec();
    let apart = [&shape[..=axis], &[Length::ONE], &shape[axis + 1..]].concat();
    let apart = ops::reshape(step.tape, &value, &apart)?;
    let mut margins = vec![(0, 0); rank + 1];
    margins[axis + 1] = (0, gap - 1);
    let apart = ops::pad(step.tape, &apart, &margins)?;
    let mut joined = shape;
    joined[axis] = Length::fixed(range.count * gap);
    let joined = ops::reshape(step.tape, &apart, &joined)?;
    let count = (range.count - 1) * gap + 1;
    Ok((ops::slice(step.tape, &joined, axis, 0, count)?, count))
}

fn pad(step: &mut Step<'_>) -> Shares {
    let shape = step.shape(0)?;
    let axes: Vec<_> = match step.optional_integers(3)? {
        Some(axes) => axes
            .into_iter()
            .filter_map(|index| axis(index, shape.len()))
            .collect(),
        None => (0..shape.len()).collect(),
    };
    let margins = margins(&step.integers(1)?, &axes, shape.len());
    let margins = margins.ok_or_else(|| step.refusal("its number of margins is wrong"))?;
    let Gradient { mut value, factor } = step.full_gradient()?;
    let mode = step.node.text("mode").unwrap_or("constant").to_owned();
    if mode == "constant" {
        step.expect_constant(2, "value")?;
        let back: Vec<_> = margins.iter().map(|(before, after)| (-before, -after)).collect();
        return Ok(vec![(0, whole(ops::pad(step.tape, &value, &back)?, factor))]);
    }
    for (axis, &margin) in margins
        .iter()
        .enumerate()
        .filter(|(_, margin)| **margin != (0, 0))
    {
        let length = shape[axis].factor;
        let matrix = Matrix::of_padding(&mode, length, margin);
        let matrix = matrix.ok_or_else(|| step.refusal(&format!("its mode is {mode:?}")))?;
        value = ops::apply_transposed(step.tape, &value, axis, &matrix)?;
    }
    Ok(vec![(0, whole(value, factor))])
}
