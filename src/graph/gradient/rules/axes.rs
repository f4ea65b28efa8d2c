//! Operators that change the shape or the order of axes.

use crate::graph::GraphError;
use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step};
use crate::graph::shapes::{Length, axis};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "DepthToSpace" => depth_to_space,
        "Expand" => expand,
        "Flatten" | "Reshape" => reshape,
        "SpaceToDepth" => space_to_depth,
        "Squeeze" => squeeze,
        "Tile" => tile,
        "Transpose" => transpose,
        "Unsqueeze" => unsqueeze,
        _ => return None,
    })
}

fn reshape(step: &mut Step<'_>) -> Shares {
    let gradient = step.gradient()?;
    let shape = step.shape(0)?;
    if step
        .tape
        .shape(&gradient.value)
        .iter()
        .all(|&length| length == Length::ONE)
    {
        // One number for all elements.
        let value = ops::reshape(step.tape, &gradient.value, &vec![Length::ONE; shape.len()])?;
        return Ok(Share::sole(value, gradient.factor));
    }
    let Gradient { value, factor } = step.full_gradient()?;
    Ok(Share::sole(ops::reshape(step.tape, &value, &shape)?, factor))
}

/// Axes of length 1 appear or disappear: so do those of the gradient.
fn squeeze(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let (shape, output) = (step.shape(0)?, step.output(0));
    let rank = step.tape.shape(&output).len();
    let axes: Vec<_> = match step.optional_integers(1)? {
        Some(axes) => axes
            .into_iter()
            .filter_map(|index| axis(index, shape.len()))
            .collect(),
        None => (0..shape.len())
            .filter(|&axis| shape[axis] == Length::ONE)
            .collect(),
    };
    let value = ops::ranked(step.tape, &value, rank)?;
    let axes = step.tape.integers(&ops::signed(&axes));
    Ok(Share::sole(
        step.tape.node("Unsqueeze", &[&value, &axes], vec![])?,
        factor,
    ))
}

fn unsqueeze(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let output = step.output(0);
    let rank = step.tape.shape(&output).len();
    let value = ops::ranked(step.tape, &value, rank)?;
    let axes: Vec<_> = step
        .integers(1)?
        .into_iter()
        .filter_map(|index| axis(index, rank))
        .collect();
    let axes = step.tape.integers(&ops::signed(&axes));
    Ok(Share::sole(
        step.tape.node("Squeeze", &[&value, &axes], vec![])?,
        factor,
    ))
}

fn transpose(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    let rank = step.shape(0)?.len();
    let mut inverse: Vec<usize> = (0..rank).rev().collect();
    if let Some(order) = step.node.integers("perm") {
        for (to, &from) in order.iter().enumerate() {
            let from = usize::try_from(from).ok().filter(|&from| from < rank);
            inverse[from.ok_or_else(|| step.refusal("its order of axes is wrong"))?] = to;
        }
    }
    let value = ops::ranked(step.tape, &value, rank)?;
    Ok(Share::sole(ops::transpose(step.tape, &value, &inverse)?, factor))
}

fn expand(step: &mut Step<'_>) -> Shares {
    let Gradient { value, factor } = step.gradient()?;
    Ok(vec![step.elementwise(0, &value, factor)?])
}

/// Each axis of the output is the repeats by the input's axis: the repeats are summed.
fn tile(step: &mut Step<'_>) -> Shares {
    let shape = step.shape(0)?;
    let Gradient { mut value, factor } = step.full_gradient()?;
    let output = step.tape.shape(&value).to_vec();
    for axis in 0..shape.len() {
        let Some(repeats) = output[axis].divided_by(shape[axis]) else {
            return Err(step.refusal("it repeats an axis of the batch"));
        };
        if repeats == Length::ONE {
            continue;
        }
        let now = step.tape.shape(&value).to_vec();
        let split = [&now[..axis], &[repeats, shape[axis]], &now[axis + 1..]].concat();
        let apart = ops::reshape(step.tape, &value, &split)?;
        let sum = ops::sum(step.tape, &apart, &[axis])?;
        let joined = [&now[..axis], &[shape[axis]], &now[axis + 1..]].concat();
        value = ops::reshape(step.tape, &sum, &joined)?;
    }
    Ok(Share::sole(value, factor))
}

/// The order of the six axes between which `DepthToSpace` moves blocks: batch, then channels, rows and columns of blocks.
fn block_orders(step: &Step<'_>) -> Result<([Length; 4], Length), GraphError> {
    let shape = step.shape(0)?;
    let size = step.node.integer("blocksize").map(Length::fixed);
    match (<[Length; 4]>::try_from(shape), size) {
        (Ok(shape), Some(size)) => Ok((shape, size)),
        _ => Err(step.refusal("its input is no image, or it has no block size")),
    }
}

fn depth_to_space(step: &mut Step<'_>) -> Shares {
    let ([batch, channels, height, width], size) = block_orders(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let depth = size.times(size).and_then(|square| channels.divided_by(square));
    let depth = depth.ok_or_else(|| step.refusal("its channels are no multiple of a block"))?;
    let apart = ops::reshape(step.tape, &value, &[batch, depth, height, size, width, size])?;
    let order = if step.node.text("mode") == Some("CRD") {
        [0, 1, 3, 5, 2, 4]
    } else {
        [0, 3, 5, 1, 2, 4]
    };
    let moved = ops::transpose(step.tape, &apart, &order)?;
    Ok(Share::sole(
        ops::reshape(step.tape, &moved, &[batch, channels, height, width])?,
        factor,
    ))
}

fn space_to_depth(step: &mut Step<'_>) -> Shares {
    let ([batch, channels, height, width], size) = block_orders(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let (Some(rows), Some(columns)) = (height.divided_by(size), width.divided_by(size)) else {
        return Err(step.refusal("its sides are no multiples of a block"));
    };
    let apart = ops::reshape(step.tape, &value, &[batch, size, size, channels, rows, columns])?;
    let moved = ops::transpose(step.tape, &apart, &[0, 3, 4, 1, 5, 2])?;
    Ok(Share::sole(
        ops::reshape(step.tape, &moved, &[batch, channels, height, width])?,
        factor,
    ))
}
