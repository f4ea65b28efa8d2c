//! Shapes of operators that move, merge, remove or sum axes.

use crate::graph::proto::DataType;
use crate::graph::shapes::inputs::Inputs;
use crate::graph::shapes::{Length, Tensor, broadcast, elements};

pub(crate) fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    let shape = match inputs.node.op_type.as_str() {
        "Shape" => return shape(inputs).map(|tensor| vec![tensor]),
        "ConstantOfShape" => {
            let value = inputs.node.attribute("value").and_then(|value| value.t.as_ref());
            let element = value.map_or(Some(DataType::Float), |value| {
                DataType::try_from(value.data_type).ok()
            })?;
            let tensor = Tensor::new(element, inputs.integers(0)?.to_vec());
            return Some(vec![tensor]);
        }
        "Reshape" => reshape(inputs)?,
        "Flatten" => {
            let shape = inputs.shape(0)?;
            let axis = inputs.axis(1, shape.len() + 1)?;
            vec![elements(&shape[..axis])?, elements(&shape[axis..])?]
        }
        "Squeeze" => squeeze(inputs)?,
        "Unsqueeze" => unsqueeze(inputs)?,
        "Transpose" => {
            let shape = inputs.shape(0)?;
            match inputs.node.integers("perm") {
                Some(order) => order
                    .iter()
                    .map(|&axis| shape.get(usize::try_from(axis).ok()?).copied())
                    .collect::<Option<_>>()?,
                None => shape.iter().rev().copied().collect(),
            }
        }
        "Expand" => broadcast(inputs.shape(0)?, inputs.integers(1)?)?,
        "Tile" => {
            let pairs = inputs.shape(0)?.iter().zip(inputs.integers(1)?);
            pairs
                .map(|(length, &repeats)| length.times(repeats))
                .collect::<Option<_>>()?
        }
        "DepthToSpace" | "SpaceToDepth" => blocks(inputs)?,
        operator if operator.starts_with("Reduce") => reduced(inputs)?,
        _ => return None,
    };
    let first = inputs.tensor(0)?;
    let keeps = matches!(
        inputs.node.op_type.as_str(),
        "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten"
    );
    let integers = first.integers.clone().filter(|_| keeps);
    Some(vec![Tensor::new(first.element, shape).with_integers(integers)])
}

fn shape(inputs: &Inputs<'_>) -> Option<Tensor> {
    let shape = inputs.shape(0)?;
    let rank = i64::try_from(shape.len()).ok()?;
    let at = |name, default| {
        let value = inputs.node.integer(name).unwrap_or(default);
        usize::try_from((if value < 0 { value + rank } else { value }).clamp(0, rank)).ok()
    };
    let lengths = shape.get(at("start", 0)?..at("end", rank)?)?.to_vec();
    let count = Length::fixed(i64::try_from(lengths.len()).ok()?);
    Some(Tensor::new(DataType::Int64, vec![count]).with_integers(Some(lengths)))
}

fn reshape(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let (shape, target) = (inputs.shape(0)?, inputs.integers(1)?);
    let zero_is_zero = inputs.node.integer("allowzero") == Some(1);
    let mut lengths = Vec::with_capacity(target.len());
    for (axis, &length) in target.iter().enumerate() {
        lengths.push(match length.number() {
            Some(0) if !zero_is_zero => *shape.get(axis)?,
            _ => length,
        });
    }
    let open = lengths.iter().position(|length| *length == Length::fixed(-1));
    if let Some(open) = open {
        lengths[open] = Length::ONE;
        lengths[open] = elements(shape)?.divided_by(elements(&lengths)?)?;
    }
    (elements(shape)? == elements(&lengths)?).then_some(lengths)
}

fn squeeze(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let shape = inputs.shape(0)?;
    let of_one = || {
        (0..shape.len())
            .filter(|&axis| shape[axis] == Length::ONE)
            .collect()
    };
    let axes = inputs.axes(1, shape.len(), of_one)?;
    let kept = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    Some(kept.map(|(_, length)| *length).collect())
}

fn unsqueeze(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let shape = inputs.shape(0)?;
    let rank = shape.len() + inputs.integers(1)?.len();
    let axes = inputs.axes(1, rank, Vec::new)?;
    let mut rest = shape.iter();
    (0..rank)
        .map(|axis| {
            if axes.contains(&axis) {
                Some(Length::ONE)
            } else {
                rest.next().copied()
            }
        })
        .collect()
}

fn blocks(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let &[batch, channels, height, width] = inputs.shape(0)? else {
        return None;
    };
    let size = Length::fixed(inputs.node.integer("blocksize")?);
    let square = size.times(size)?;
    if inputs.node.op_type == "DepthToSpace" {
        Some(vec![
            batch,
            channels.divided_by(square)?,
            height.times(size)?,
            width.times(size)?,
        ])
    } else {
        Some(vec![
            batch,
            channels.times(square)?,
            height.divided_by(size)?,
            width.divided_by(size)?,
        ])
    }
}

fn reduced(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let shape = inputs.shape(0)?;
    let mut axes = inputs.axes(1, shape.len(), Vec::new)?;
    if axes.is_empty() && inputs.node.integer("noop_with_empty_axes") != Some(1) {
        axes = (0..shape.len()).collect();
    }
    let keeps = inputs.node.integer("keepdims") != Some(0);
    let length = |(index, &length): (usize, &Length)| match (axes.contains(&index), keeps) {
        (false, _) => Some(length),
        (true, true) => Some(Length::ONE),
        (true, false) => None,
    };
    Some(shape.iter().enumerate().filter_map(length).collect())
}
