//! Shapes of convolutions, pooling and resizing.

use crate::graph::proto::NodeProto;
use crate::graph::shapes::inputs::Inputs;
use crate::graph::shapes::{Length, Tensor};

pub(crate) fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    let shape = match inputs.node.op_type.as_str() {
        "Conv" => {
            let (shape, kernel) = (inputs.shape(0)?, inputs.shape(1)?);
            let window = Window::of(
                inputs.node,
                &numbers(kernel.get(2..)?)?,
                &numbers(shape.get(2..)?)?,
            )?;
            sized(&[shape[0], kernel[0]], &window.outputs(&numbers(&shape[2..])?))
        }
        "ConvTranspose" => {
            let (shape, kernel) = (inputs.shape(0)?, inputs.shape(1)?);
            let window = Window::of(
                inputs.node,
                &numbers(kernel.get(2..)?)?,
                &numbers(shape.get(2..)?)?,
            )?;
            let groups = Length::fixed(inputs.node.integer("group").unwrap_or(1));
            let extra = inputs.node.integers("output_padding");
            sized(
                &[shape[0], kernel[1].times(groups)?],
                &window.transposed_outputs(&numbers(&shape[2..])?, extra),
            )
        }
        "MaxPool" | "AveragePool" | "LpPool" => {
            let shape = inputs.shape(0)?;
            let window = Window::of(
                inputs.node,
                inputs.node.integers("kernel_shape")?,
                &numbers(shape.get(2..)?)?,
            )?;
            sized(&shape[..2], &window.outputs(&numbers(&shape[2..])?))
        }
        "GlobalAveragePool" | "GlobalMaxPool" => {
            let shape = inputs.shape(0)?;
            let ones = vec![Length::ONE; shape.len().checked_sub(2)?];
            [&shape[..2], &ones].concat()
        }
        "Resize" => resized(inputs)?,
        _ => return None,
    };
    Some(vec![Tensor::new(inputs.element()?, shape)])
}

fn numbers(lengths: &[Length]) -> Option<Vec<i64>> {
    lengths.iter().map(|length| length.number()).collect()
}

fn sized(first: &[Length], sides: &[i64]) -> Vec<Length> {
    let sides = sides.iter().map(|&side| Length::fixed(side));
    first.iter().copied().chain(sides).collect()
}

/// The window that a convolution or a pooling moves over the axes after the first two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) kernel: Vec<i64>,
    pub(crate) strides: Vec<i64>,
    pub(crate) dilations: Vec<i64>,
    /// Before each axis.
    pub(crate) before: Vec<i64>,
    /// After each axis.
    pub(crate) after: Vec<i64>,
    rounds_up: bool,
}

impl Window {
    /// The window of a node, for a kernel and an input of these sides. `None` for an unknown padding.
    pub(crate) fn of(node: &NodeProto, kernel: &[i64], sides: &[i64]) -> Option<Self> {
        let axes = kernel.len();
        let given = |name, default| {
            let values = node
                .integers(name)
                .map_or_else(|| vec![default; axes], <[i64]>::to_vec);
            (values.len() == axes).then_some(values)
        };
        let (strides, dilations) = (given("strides", 1)?, given("dilations", 1)?);
        if sides.len() != axes || strides.iter().chain(&dilations).any(|&value| value < 1) {
            return None;
        }
        let (mut before, mut after) = match node.integers("pads") {
            Some(pads) if pads.len() == 2 * axes => (pads[..axes].to_vec(), pads[axes..].to_vec()),
            Some(_) => return None,
            None => (vec![0; axes], vec![0; axes]),
        };
        match node.text("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" | "" => {}
            "VALID" => (before, after) = (vec![0; axes], vec![0; axes]),
            side @ ("SAME_UPPER" | "SAME_LOWER") if node.op_type != "ConvTranspose" => {
                for axis in 0..axes {
                    let outputs = (sides[axis] + strides[axis] - 1) / strides[axis];
                    let span = (outputs - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1;
                    let total = (span - sides[axis]).max(0);
                    let less = total / 2;
                    (before[axis], after[axis]) = if side == "SAME_UPPER" {
                        (less, total - less)
                    } else {
                        (total - less, less)
                    };
                }
            }
            _ => return None,
        }
        Some(Self {
            kernel: kernel.to_vec(),
            strides,
            dilations,
            before,
            after,
            rounds_up: node.integer("ceil_mode") == Some(1),
        })
    }

    /// How far the window reaches along an axis.
    pub(crate) fn reach(&self, axis: usize) -> i64 {
        (self.kernel[axis] - 1) * self.dilations[axis] + 1
    }

    /// The sides of the output for an input of these sides.
    pub(crate) fn outputs(&self, sides: &[i64]) -> Vec<i64> {
        let output = |(axis, &side): (usize, &i64)| {
            let (stride, before) = (self.strides[axis], self.before[axis]);
            let room = side + before + self.after[axis] - self.reach(axis);
            let mut steps = room.div_euclid(stride);
            // The last window must begin inside the image or the padding before it.
            if self.rounds_up && room % stride != 0 && (steps + 1) * stride < side + before {
                steps += 1;
            }
            (steps + 1).max(0)
        };
        sides.iter().enumerate().map(output).collect()
    }

    /// The sides of the output of the transposed convolution.
    pub(crate) fn transposed_outputs(&self, sides: &[i64], extra: Option<&[i64]>) -> Vec<i64> {
        let output = |(axis, &side): (usize, &i64)| {
            let extra = extra.and_then(|extra| extra.get(axis)).copied().unwrap_or(0);
            (side - 1) * self.strides[axis] + self.reach(axis) - self.before[axis] - self.after[axis] + extra
        };
        sides.iter().enumerate().map(output).collect()
    }
}

fn resized(inputs: &Inputs<'_>) -> Option<Vec<Length>> {
    let shape = inputs.shape(0)?;
    let axes = inputs.node.integers("axes").map(<[i64]>::to_vec);
    let axes = axes.unwrap_or_else(|| (0..i64::try_from(shape.len()).unwrap_or(0)).collect());
    let mut output = shape.to_vec();
    for (index, &axis) in axes.iter().enumerate() {
        let length = output.get_mut(usize::try_from(axis).ok()?)?;
        *length = match inputs.integers(3) {
            Some(sizes) => *sizes.get(index)?,
            None => scaled(*length, *inputs.tensor(2)?.floats.as_ref()?.get(index)?)?,
        };
    }
    Some(output)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "sides are small"
)]
fn scaled(length: Length, scale: f32) -> Option<Length> {
    if scale.to_bits() == 1.0_f32.to_bits() {
        return Some(length);
    }
    let side = (length.number()? as f64 * f64::from(scale)).floor();
    (0.0..1e9).contains(&side).then_some(Length::fixed(side as i64))
}
