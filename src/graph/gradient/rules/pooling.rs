//! Pooling over windows.

use ndarray::{ArrayD, IxDyn};

use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, Rule, Share, Shares, Step, count_of};
use crate::graph::shapes::{Length, Window, elements};
use crate::graph::{GraphError, Value, integers};

pub(crate) fn find(operator: &str) -> Option<Rule> {
    Some(match operator {
        "AveragePool" => average,
        "MaxPool" => greatest,
        _ => return None,
    })
}

/// A window over the rows and columns of images.
struct Pooling {
    window: Window,
    shape: [Length; 4],
    sides: [i64; 2],
    outputs: [i64; 2],
}

impl Pooling {
    fn of(step: &Step<'_>) -> Result<Self, GraphError> {
        let refusal = || step.refusal("its input is no batch of images, or its window is not known");
        let shape = <[Length; 4]>::try_from(step.shape(0)?).map_err(|_| refusal())?;
        let sides = shape[2].number().zip(shape[3].number()).ok_or_else(refusal)?;
        let sides = [sides.0, sides.1];
        let kernel = step
            .node
            .integers("kernel_shape")
            .filter(|kernel| kernel.len() == 2);
        let window = kernel
            .and_then(|kernel| Window::of(step.node, kernel, &sides))
            .ok_or_else(refusal)?;
        let outputs = <[i64; 2]>::try_from(window.outputs(&sides)).map_err(|_| refusal())?;
        Ok(Self {
            window,
            shape,
            sides,
            outputs,
        })
    }

    /// Whether the windows cover the image without overlaps and gaps.
    fn tiles(&self) -> bool {
        let window = &self.window;
        let fits = |axis: usize| {
            window.kernel[axis] == window.strides[axis]
                && window.before[axis] == 0
                && self.outputs[axis] * window.kernel[axis] == self.sides[axis]
        };
        (0..2).all(fits) && window.dilations == [1, 1]
    }

    /// The shape of the image with an axis for the place in each tile.
    fn apart(&self) -> [Length; 6] {
        let [batch, channels, ..] = self.shape;
        let [rows, columns] = self.outputs.map(Length::fixed);
        let [down, across] = [0, 1].map(|axis| Length::fixed(self.window.kernel[axis]));
        [batch, channels, rows, down, columns, across]
    }

    /// A value of the output's shape, with axes of length 1 for the place in each tile.
    fn of_tiles(
        &self,
        tape: &mut crate::graph::gradient::tape::Tape,
        value: &Value,
    ) -> Result<Value, GraphError> {
        let [batch, channels, rows, _, columns, _] = self.apart();
        ops::reshape(
            tape,
            value,
            &[batch, channels, rows, Length::ONE, columns, Length::ONE],
        )
    }

    /// The reach of all windows along an axis.
    fn span(&self, axis: usize) -> i64 {
        (self.outputs[axis] - 1) * self.window.strides[axis] + self.window.reach(axis)
    }

    /// What is missing around the image for the windows; negative where they do not reach.
    fn margins(&self) -> [(i64, i64); 4] {
        let margin = |axis: usize| {
            let before = self.window.before[axis];
            (before, self.span(axis) - self.sides[axis] - before)
        };
        [(0, 0), (0, 0), margin(0), margin(1)]
    }

    /// The sum of windows `[batch · channels, places, rows, columns]` at their places in the image.
    fn placed(&self, step: &mut Step<'_>, windows: &Value, kernel: &Value) -> Result<Value, GraphError> {
        let attributes = vec![
            integers("kernel_shape", &self.window.kernel),
            integers("strides", &self.window.strides),
            integers("dilations", &self.window.dilations),
        ];
        let placed = step.tape.node("ConvTranspose", &[windows, kernel], attributes)?;
        let back = self.margins().map(|(before, after)| (-before, -after));
        let placed = ops::pad(step.tape, &placed, &back)?;
        ops::reshape(step.tape, &placed, &self.shape)
    }

    /// The number of elements of the image in each window, `[1, 1, rows, columns]`.
    fn counts(&self, includes_padding: bool) -> Vec<f64> {
        let along = |axis: usize| {
            let (window, side) = (&self.window, self.sides[axis]);
            let room = if includes_padding {
                (-window.before[axis], side + window.after[axis])
            } else {
                (0, side)
            };
            let count = move |output: i64| {
                let first = output * window.strides[axis] - window.before[axis];
                let places = (0..window.kernel[axis]).map(|place| first + place * window.dilations[axis]);
                count_of(
                    i64::try_from(places.filter(|place| (room.0..room.1).contains(place)).count())
                        .unwrap_or(1),
                )
            };
            (0..self.outputs[axis]).map(count).collect::<Vec<_>>()
        };
        let (down, across) = (along(0), along(1));
        down.iter()
            .flat_map(|down| across.iter().map(move |across| down * across))
            .collect()
    }
}

/// Images `[batch · channels, 1, rows, columns]`.
fn single(step: &mut Step<'_>, value: &Value) -> Result<Value, GraphError> {
    let shape = step.tape.shape(value).to_vec();
    let images =
        elements(&shape[..2]).ok_or_else(|| step.refusal("its channels are a multiple of the batch"))?;
    ops::reshape(step.tape, value, &[images, Length::ONE, shape[2], shape[3]])
}

fn average(step: &mut Step<'_>) -> Shares {
    let pooling = Pooling::of(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    if pooling.tiles() {
        let apart = pooling.of_tiles(step.tape, &value)?;
        let apart = ops::expand(step.tape, &apart, &pooling.apart(), &apart)?;
        let whole = ops::reshape(step.tape, &apart, &pooling.shape)?;
        let places = pooling.window.kernel.iter().product();
        return Ok(Share::sole(whole, factor / count_of(places)));
    }
    let counts = pooling.counts(step.node.integer("count_include_pad") == Some(1));
    #[expect(clippy::cast_possible_truncation, reason = "graphs compute in f32")]
    let shares: Vec<_> = counts.iter().map(|count| (1.0 / count.max(1.0)) as f32).collect();
    let size = |length: i64| usize::try_from(length).unwrap_or(0);
    let [rows, columns] = pooling.outputs.map(size);
    let shares = ArrayD::from_shape_vec(IxDyn(&[1, 1, rows, columns]), shares);
    let shares = step
        .tape
        .constant(&shares.map_err(|_| step.refusal("its output has no elements"))?);
    let value = ops::mul(step.tape, &value, &shares)?;
    let windows = single(step, &value)?;
    let kernel = ArrayD::ones(IxDyn(&[
        1,
        1,
        size(pooling.window.kernel[0]),
        size(pooling.window.kernel[1]),
    ]));
    let kernel = step.tape.constant(&kernel);
    Ok(Share::sole(pooling.placed(step, &windows, &kernel)?, factor))
}

/// The greatest element of a window gets its gradient; equal ones share it.
fn greatest(step: &mut Step<'_>) -> Shares {
    let pooling = Pooling::of(step)?;
    let Gradient { value, factor } = step.full_gradient()?;
    let (input, output) = (step.input(0)?, step.output(0));
    if pooling.tiles() {
        let apart = ops::reshape(step.tape, &input, &pooling.apart())?;
        let (value, output) = (
            pooling.of_tiles(step.tape, &value)?,
            pooling.of_tiles(step.tape, &output)?,
        );
        let shares = shared(step, &apart, &output, &value, &[3, 5])?;
        return Ok(Share::sole(
            ops::reshape(step.tape, &shares, &pooling.shape)?,
            factor,
        ));
    }
    // Each place of the window becomes a channel, by a convolution with the unit kernels.
    let places = pooling.window.kernel.iter().product::<i64>();
    let size = |length: i64| usize::try_from(length).unwrap_or(0);
    let [down, across] = [0, 1].map(|axis| size(pooling.window.kernel[axis]));
    let mut units = ArrayD::zeros(IxDyn(&[size(places), 1, down, across]));
    for place in 0..size(places) {
        units[[place, 0, place / across, place % across]] = 1.0;
    }
    let units = step.tape.constant(&units);
    let lowest = step.tape.number(-1e30);
    let pads: Vec<_> = pooling.margins().iter().map(|margin| margin.0).collect();
    let pads = [pads, pooling.margins().iter().map(|margin| margin.1).collect()].concat();
    let pads = step.tape.integers(&pads);
    let padded = step.tape.node("Pad", &[&input, &pads, &lowest], vec![])?;
    let padded = single(step, &padded)?;
    let attributes = vec![
        integers("kernel_shape", &pooling.window.kernel),
        integers("strides", &pooling.window.strides),
        integers("dilations", &pooling.window.dilations),
    ];
    let windows = step.tape.node("Conv", &[&padded, &units], attributes)?;
    let (value, output) = (single(step, &value)?, single(step, &output)?);
    let shares = shared(step, &windows, &output, &value, &[1])?;
    Ok(Share::sole(pooling.placed(step, &shares, &units)?, factor))
}

/// The gradient of the greatest of some elements along `axes`, shared among those that equal it.
fn shared(
    step: &mut Step<'_>,
    elements: &Value,
    greatest: &Value,
    gradient: &Value,
    axes: &[usize],
) -> Result<Value, GraphError> {
    let is_greatest = step.tape.node("Equal", &[elements, greatest], vec![])?;
    let (zero, one) = (step.tape.number(0.0), step.tape.number(1.0));
    let ones = ops::choose(step.tape, &is_greatest, &one, &zero)?;
    let count = ops::sum(step.tape, &ones, axes)?;
    let share = ops::div(step.tape, gradient, &count)?;
    ops::mul(step.tape, &ones, &share)
}
