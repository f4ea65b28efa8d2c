//! Shapes of operators that take, join or add parts of an axis.

use crate::graph::shapes::inputs::{Inputs, axis};
use crate::graph::shapes::{Length, Tensor};

pub(crate) fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    Some(match inputs.node.op_type.as_str() {
        "Slice" => vec![slice(inputs)?],
        "Gather" => vec![gather(inputs)?],
        "Concat" => vec![concat(inputs)?],
        "Split" => split(inputs)?,
        "Pad" => vec![pad(inputs)?],
        _ => return None,
    })
}

/// The elements `from`, `from + step`, … along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) step: i64,
    pub(crate) count: i64,
}

impl Range {
    /// The elements that `Slice` takes of an axis.
    pub(crate) fn of_slice(length: i64, start: i64, end: i64, step: i64) -> Option<Self> {
        let from_end = |index: i64| {
            if index < 0 {
                index.saturating_add(length)
            } else {
                index
            }
        };
        let (start, end) = (from_end(start), from_end(end));
        let (from, span) = match step.signum() {
            1 => {
                let from = start.clamp(0, length);
                (from, end.clamp(0, length) - from)
            }
            -1 if length > 0 => {
                let from = start.clamp(0, length - 1);
                (from, from - end.clamp(-1, length - 1))
            }
            _ => return None,
        };
        let size = step.checked_abs()?;
        Some(Self {
            from,
            step,
            count: (span + size - 1).div_euclid(size).max(0),
        })
    }
}

/// The parts that a `Slice` takes: an axis and a range for each. `None` if they are not known, or open.
pub(crate) fn slice_ranges(
    shape: &[Length],
    starts: &[i64],
    ends: &[i64],
    axes: Option<&[i64]>,
    steps: Option<&[i64]>,
) -> Option<Vec<(usize, Range)>> {
    let mut ranges = Vec::new();
    for (index, (&start, &end)) in starts.iter().zip(ends).enumerate() {
        let at = match axes {
            Some(axes) => axis(*axes.get(index)?, shape.len())?,
            None => index,
        };
        let step = steps.map_or(Some(1), |steps| steps.get(index).copied())?;
        let length = *shape.get(at)?;
        if length.of_batch && (start, step) == (0, 1) && end == i64::MAX {
            continue;
        }
        ranges.push((at, Range::of_slice(length.number()?, start, end, step)?));
    }
    Some(ranges)
}

fn slice(inputs: &Inputs<'_>) -> Option<Tensor> {
    let tensor = inputs.tensor(0)?;
    let given = |index| match inputs.node.input_name(index) {
        Some(_) => inputs.numbers(index).map(Some),
        None => Some(None),
    };
    let ranges = slice_ranges(
        &tensor.shape,
        &inputs.numbers(1)?,
        &inputs.numbers(2)?,
        given(3)?.as_deref(),
        given(4)?.as_deref(),
    )?;
    let mut shape = tensor.shape.clone();
    for (axis, range) in &ranges {
        shape[*axis] = Length::fixed(range.count);
    }
    let integers = match (&tensor.integers, ranges.as_slice()) {
        (Some(integers), [(0, range)]) if shape.len() == 1 => (0..range.count)
            .map(|index| {
                integers
                    .get(usize::try_from(range.from + index * range.step).ok()?)
                    .copied()
            })
            .collect(),
        _ => None,
    };
    Some(Tensor::new(tensor.element, shape).with_integers(integers))
}

fn gather(inputs: &Inputs<'_>) -> Option<Tensor> {
    let tensor = inputs.tensor(0)?;
    let at = inputs.axis(0, tensor.shape.len())?;
    let mut shape = tensor.shape.clone();
    shape.splice(at..=at, inputs.shape(1)?.iter().copied());
    let pick = |integers: &Vec<Length>| {
        let count = integers.len();
        let pick = |index: i64| integers.get(axis(index, count)?).copied();
        inputs.numbers(1)?.into_iter().map(pick).collect()
    };
    let integers = tensor
        .integers
        .as_ref()
        .filter(|_| tensor.shape.len() == 1)
        .and_then(pick);
    Some(Tensor::new(tensor.element, shape).with_integers(integers))
}

fn concat(inputs: &Inputs<'_>) -> Option<Tensor> {
    let tensors = inputs.all()?;
    let first = tensors.first()?;
    let at = inputs.axis(0, first.shape.len())?;
    let mut shape = first.shape.clone();
    for tensor in &tensors[1..] {
        let (sum, length) = (shape[at], *tensor.shape.get(at)?);
        if sum.of_batch != length.of_batch {
            return None;
        }
        shape[at].factor += length.factor;
    }
    let all: Option<Vec<_>> = tensors.iter().map(|tensor| tensor.integers.clone()).collect();
    let integers = all.filter(|_| shape.len() == 1).map(|all| all.concat());
    Some(Tensor::new(first.element, shape).with_integers(integers))
}

fn split(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    let tensor = inputs.tensor(0)?;
    let at = inputs.axis(0, tensor.shape.len())?;
    let count = i64::try_from(inputs.node.output.len()).ok()?;
    let lengths = if inputs.node.input_name(1).is_some() {
        inputs.numbers(1)?
    } else {
        let length = tensor.shape[at].number()?;
        let part = length.checked_add(count - 1)? / count;
        (0..count).map(|index| part.min(length - index * part)).collect()
    };
    let mut from = 0;
    let part = |length: i64| {
        let mut shape = tensor.shape.clone();
        shape[at] = Length::fixed(length);
        let range = from..from + usize::try_from(length).ok()?;
        from = range.end;
        let integers = tensor.integers.as_ref().filter(|_| shape.len() == 1);
        let integers = integers.and_then(|integers| Some(integers.get(range)?.to_vec()));
        Some(Tensor::new(tensor.element, shape).with_integers(integers))
    };
    lengths.into_iter().map(part).collect()
}

fn pad(inputs: &Inputs<'_>) -> Option<Tensor> {
    let tensor = inputs.tensor(0)?;
    let rank = tensor.shape.len();
    let axes = inputs.axes(3, rank, || (0..rank).collect())?;
    let margins = margins(&inputs.numbers(1)?, &axes, rank)?;
    let mut shape = tensor.shape.clone();
    for (length, (before, after)) in shape.iter_mut().zip(margins) {
        if before != 0 || after != 0 {
            *length = Length::fixed(length.number()? + before + after);
        }
    }
    Some(Tensor::new(tensor.element, shape))
}

/// What `Pad` adds before and after each axis.
pub(crate) fn margins(pads: &[i64], axes: &[usize], rank: usize) -> Option<Vec<(i64, i64)>> {
    if pads.len() != 2 * axes.len() {
        return None;
    }
    let mut margins = vec![(0, 0); rank];
    for (index, &axis) in axes.iter().enumerate() {
        *margins.get_mut(axis)? = (pads[index], pads[index + axes.len()]);
    }
    Some(margins)
}
