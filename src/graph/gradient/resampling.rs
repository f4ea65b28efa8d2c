//! Resizing and padding along an axis as a constant matrix.

use ndarray::{Array2, ArrayD, Axis};

use crate::graph::proto::NodeProto;

/// A linear function of one axis: the matrix `[outputs, inputs]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix(Array2<f32>);

impl Matrix {
    fn new(outputs: i64, inputs: i64, mut terms: impl FnMut(i64) -> Vec<(i64, f32)>) -> Self {
        let size = |length: i64| usize::try_from(length.max(0)).unwrap_or(0);
        let mut matrix = Array2::zeros((size(outputs), size(inputs)));
        for output in 0..outputs {
            for (input, weight) in terms(output) {
                let input = size(input.clamp(0, inputs - 1));
                matrix[[size(output), input]] += weight;
            }
        }
        Self(matrix)
    }

    /// Takes the elements of these indices.
    pub(crate) fn of_indices(indices: &[i64], length: i64) -> Self {
        let outputs = i64::try_from(indices.len()).unwrap_or(0);
        let index = |output: i64| usize::try_from(output).map_or(0, |output| indices[output]);
        Self::new(outputs, length, |output| vec![(index(output), 1.0)])
    }

    /// Continues an axis on both sides. `None` for an unknown mode.
    pub(crate) fn of_padding(mode: &str, length: i64, (before, after): (i64, i64)) -> Option<Self> {
        let at: fn(i64, i64) -> i64 = match mode {
            "edge" => |index, length| index.clamp(0, length - 1),
            "reflect" => |index, length| {
                let period = (2 * (length - 1)).max(1);
                let index = index.rem_euclid(period);
                index.min(period - index)
            },
            "wrap" => |index, length| index.rem_euclid(length),
            _ => return None,
        };
        let outputs = length + before + after;
        Some(Self::new(outputs, length, |output| {
            vec![(at(output - before, length), 1.0)]
        }))
    }

    /// What a `Resize` node does to an axis. `scale` is given if the node has scales.
    pub(crate) fn of_resize(node: &NodeProto, inputs: i64, outputs: i64, scale: Option<f32>) -> Option<Self> {
        let text = |name, default| node.text(name).unwrap_or(default);
        if node.integer("exclude_outside") == Some(1)
            || (node.integer("antialias") == Some(1) && outputs < inputs)
        {
            return None;
        }
        let position = position(
            text("coordinate_transformation_mode", "half_pixel"),
            inputs,
            outputs,
            scale,
        )?;
        Some(match text("mode", "nearest") {
            "nearest" => {
                let round: fn(f32) -> f32 = match text("nearest_mode", "round_prefer_floor") {
                    "round_prefer_floor" => |x| (x - 0.5).ceil(),
                    "round_prefer_ceil" => |x| (x + 0.5).floor(),
                    "floor" => f32::floor,
                    "ceil" => f32::ceil,
                    _ => return None,
                };
                Self::new(outputs, inputs, |output| {
                    vec![(whole(round(position(output))), 1.0)]
                })
            }
            "linear" => Self::new(outputs, inputs, |output| {
                let x = position(output).clamp(0.0, real(inputs - 1));
                let share = x - x.floor();
                vec![(whole(x.floor()), 1.0 - share), (whole(x.floor()) + 1, share)]
            }),
            "cubic" => {
                let a = node.float("cubic_coeff_a").unwrap_or(-0.75);
                Self::new(outputs, inputs, |output| {
                    let x = position(output);
                    let first = x.floor();
                    let weights = cubic(a, x - first);
                    (-1..3)
                        .zip(weights)
                        .map(|(offset, weight)| (whole(first) + offset, weight))
                        .collect()
                })
            }
            _ => return None,
        })
    }

    /// Resizes an axis: linear interpolation, over as many elements as become one where the axis shrinks.
    pub(crate) fn of_scaling(inputs: i64, outputs: i64) -> Self {
        let scale = real(inputs) / real(outputs);
        let reach = scale.max(1.0);
        Self::new(outputs, inputs, |output| {
            let centre = (real(output) + 0.5) * scale - 0.5;
            let near = whole((centre - reach).ceil())..=whole((centre + reach).floor());
            let weight = |input: i64| (1.0 - (real(input) - centre).abs() / reach).max(0.0);
            let sum: f32 = near.clone().map(weight).sum();
            near.map(|input| (input, weight(input) / sum)).collect()
        })
    }

    /// Its elements.
    pub(crate) fn elements(&self) -> &Array2<f32> {
        &self.0
    }

    /// Applies it to an axis of an array.
    pub(crate) fn apply(&self, values: &ArrayD<f32>, axis: usize) -> ArrayD<f32> {
        let mut shape = values.shape().to_vec();
        shape[axis] = self.0.nrows();
        let mut made = ArrayD::zeros(shape);
        for (from, mut to) in values
            .lanes(Axis(axis))
            .into_iter()
            .zip(made.lanes_mut(Axis(axis)))
        {
            to.assign(&self.0.dot(&from));
        }
        made
    }

    /// How many times each element is repeated, if that is what it does.
    pub(crate) fn repeats(&self) -> Option<i64> {
        let (outputs, inputs) = self.0.dim();
        let times = outputs.checked_div(inputs)?;
        let is_repeated = |((output, input), &weight): ((usize, usize), &f32)| {
            let expected = if output / times == input { 1.0_f32 } else { 0.0 };
            weight.to_bits() == expected.to_bits()
        };
        (times * inputs == outputs && self.0.indexed_iter().all(is_repeated))
            .then(|| i64::try_from(times).ok())?
    }
}

/// Position in the input of an element of the output.
fn position(mode: &str, inputs: i64, outputs: i64, scale: Option<f32>) -> Option<Box<dyn Fn(i64) -> f32>> {
    let scale = scale.unwrap_or(real(outputs) / real(inputs));
    Some(match mode {
        "half_pixel" => Box::new(move |output| (real(output) + 0.5) / scale - 0.5),
        "pytorch_half_pixel" if outputs > 1 => Box::new(move |output| (real(output) + 0.5) / scale - 0.5),
        "pytorch_half_pixel" => Box::new(|_| 0.0),
        "asymmetric" => Box::new(move |output| real(output) / scale),
        "align_corners" if outputs > 1 => {
            Box::new(move |output| real(output) * real(inputs - 1) / real(outputs - 1))
        }
        "align_corners" => Box::new(|_| 0.0),
        _ => return None,
    })
}

/// The weights of the four neighbours for cubic interpolation.
fn cubic(a: f32, x: f32) -> [f32; 4] {
    let near = |x: f32| ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
    [far(x + 1.0), near(x), near(1.0 - x), far(2.0 - x)]
}

#[expect(clippy::cast_precision_loss, reason = "sides are small")]
fn real(side: i64) -> f32 {
    side as f32
}

#[expect(clippy::cast_possible_truncation, reason = "sides are small")]
fn whole(position: f32) -> i64 {
    position as i64
}
