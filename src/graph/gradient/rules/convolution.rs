//! Convolutions with constant kernels.

use ndarray::{ArrayD, Axis, IxDyn};

use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step};
use crate::graph::shapes::{Length, Window};
use crate::graph::{GraphError, integer, integers};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "Conv" => convolution,
        "ConvTranspose" => transposed,
        _ => return None,
    })
}

/// The window of the node, and the sides of its input.
fn window(step: &Step<'_>) -> Result<(Window, Vec<i64>), GraphError> {
    step.expect_constant(1, "kernel")?;
    step.expect_constant(2, "bias")?;
    let (shape, kernel) = (step.shape(0)?, step.shape(1)?);
    let sides = |shape: &[Length]| {
        shape[2..]
            .iter()
            .map(|length| length.number())
            .collect::<Option<Vec<_>>>()
    };
    let found = sides(&shape)
        .zip(sides(&kernel))
        .and_then(|(sides, kernel)| Some((Window::of(step.node, &kernel, &sides)?, sides)));
    found.ok_or_else(|| step.refusal("its window is not known"))
}

/// The gradient of a convolution is a convolution with the kernel turned around, or, for steps of more than 1, the transposed
/// convolution.
fn convolution(step: &mut Step<'_>) -> Shares {
    let (window, sides) = window(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let (kernel, group) = (step.input(1)?, step.node.integer("group").unwrap_or(1));
    let axes = sides.len();
    let before: Vec<_> = (0..axes)
        .map(|axis| window.reach(axis) - 1 - window.before[axis])
        .collect();
    let after: Vec<_> = (0..axes)
        .map(|axis| window.reach(axis) - 1 - window.after[axis])
        .collect();
    let is_plain =
        window.strides.iter().all(|&stride| stride == 1) && before.iter().chain(&after).all(|&pad| pad >= 0);
    if is_plain
        && let Some(turned) = step
            .tape
            .constant_of(&kernel)
            .and_then(|kernel| turned(&kernel, group))
    {
        let turned = step.tape.constant(&turned);
        let attributes = vec![
            integers("kernel_shape", &window.kernel),
            integers("dilations", &window.dilations),
            integers("strides", &window.strides),
            integers("pads", &[before, after].concat()),
            integer("group", group),
        ];
        return Ok(Share::sole(
            step.tape.node("Conv", &[&value, &turned], attributes)?,
            factor,
        ));
    }
    let full = window.transposed_outputs(&window.outputs(&sides), None);
    let rest: Vec<_> = sides.iter().zip(full).map(|(side, full)| side - full).collect();
    let attributes = vec![
        integers("kernel_shape", &window.kernel),
        integers("dilations", &window.dilations),
        integers("strides", &window.strides),
        integers("pads", &[window.before, window.after].concat()),
        integers("output_padding", &rest),
        integer("group", group),
    ];
    Ok(Share::sole(
        step.tape.node("ConvTranspose", &[&value, &kernel], attributes)?,
        factor,
    ))
}

/// A kernel `[out, in / groups, y, x]` turned around, as `[in, out / groups, y, x]`.
fn turned(kernel: &ArrayD<f32>, group: i64) -> Option<ArrayD<f32>> {
    let groups = usize::try_from(group).ok()?;
    let shape = kernel.shape();
    let (outputs, inputs) = (shape[0].checked_div(groups)?, shape[1]);
    let apart = [&[groups, outputs, inputs], &shape[2..]].concat();
    let mut turned = kernel.to_shape(IxDyn(&apart)).ok()?.to_owned();
    turned.swap_axes(1, 2);
    for axis in 3..apart.len() {
        turned.invert_axis(Axis(axis));
    }
    let joined = [&[groups * inputs, outputs], &shape[2..]].concat();
    turned
        .as_standard_layout()
        .into_owned()
        .into_shape_with_order(joined)
        .ok()
}

/// The gradient of a transposed convolution is the convolution.
fn transposed(step: &mut Step<'_>) -> Shares {
    let (window, _) = window(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let kernel = step.input(1)?;
    let attributes = vec![
        integers("kernel_shape", &window.kernel),
        integers("dilations", &window.dilations),
        integers("strides", &window.strides),
        integers("pads", &[window.before, window.after].concat()),
        integer("group", step.node.integer("group").unwrap_or(1)),
    ];
    Ok(Share::sole(
        step.tape.node("Conv", &[&value, &kernel], attributes)?,
        factor,
    ))
}
