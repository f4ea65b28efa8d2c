//! Resizing of feature maps.

use crate::graph::gradient::ops;
use crate::graph::gradient::resampling::Matrix;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step, count_of};
use crate::graph::{GraphError, integers};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    (operator == "Resize").then_some(resize)
}

fn resize(step: &mut Step<'_>) -> Shares {
    let Gradient { value, mut factor } = step.full_gradient()?;
    let mut value = value;
    let matrices = matrices(step)?;
    let repeats: Vec<_> = matrices
        .iter()
        .map(|(axis, matrix)| (*axis, matrix.repeats()))
        .collect();
    if let [(2, Some(down)), (3, Some(across))] = *repeats.as_slice() {
        let window = [down, across];
        let attributes = vec![integers("kernel_shape", &window), integers("strides", &window)];
        value = step.tape.node("AveragePool", &[&value], attributes)?;
        factor *= count_of(down * across);
    } else {
        for (axis, matrix) in matrices {
            value = ops::apply_transposed(step.tape, &value, axis, &matrix)?;
        }
    }
    let shape = step.shape(0)?;
    let value = ops::reshape(step.tape, &value, &shape)?;
    Ok(Share::sole(value, factor))
}

/// What the node does to each axis that it changes.
fn matrices(step: &mut Step<'_>) -> Result<Vec<(usize, Matrix)>, GraphError> {
    let (shape, output) = (step.shape(0)?, step.output(0));
    let after = step.tape.shape(&output).to_vec();
    let scales = match step.node.input_name(2) {
        Some(_) => step.tape.tensor(&step.input(2)?).floats.clone(),
        None => None,
    };
    let axes = step.node.integers("axes");
    let scale_of = |axis: usize| {
        let place = match axes {
            Some(axes) => axes
                .iter()
                .position(|&known| usize::try_from(known) == Ok(axis))?,
            None => axis,
        };
        scales.as_ref()?.get(place).copied()
    };
    let mut matrices = Vec::new();
    for (axis, (before, after)) in shape.iter().zip(&after).enumerate() {
        if before == after {
            continue;
        }
        let sides = before.number().zip(after.number());
        let matrix =
            sides.and_then(|(inputs, outputs)| Matrix::of_resize(step.node, inputs, outputs, scale_of(axis)));
        let matrix = matrix.ok_or_else(|| step.refusal("its mode of interpolation has no rule"))?;
        matrices.push((axis, matrix));
    }
    Ok(matrices)
}
