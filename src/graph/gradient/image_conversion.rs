//! Images of a generator in the size, the range and the order of channels that another network takes.

use ndarray::{Array1, ArrayD, IxDyn};

use crate::graph::gradient::input::batch_input;
use crate::graph::gradient::ops;
use crate::graph::gradient::resampling::Matrix;
use crate::graph::gradient::tape::Tape;
use crate::graph::shapes::{Length, describe};
use crate::graph::{GraphError, Model, Value, integers, signed};

/// How the images of a generator become the input of a network, in this order: crop, size, channels, order of axes.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageConversion {
    /// The first and the end of the rows, and of the columns.
    pub crop: [[usize; 2]; 2],
    /// Height and width that the part is resized to.
    pub size: [usize; 2],
    /// For each channel of the input: the weights of the image's channels, and what is added.
    pub channels: Vec<([f32; 3], f32)>,
    /// Whether the channels are the last axis.
    pub is_nhwc: bool,
}

impl ImageConversion {
    /// Adds the conversion of images `[batch, 3, height, width]` to a tape.
    pub(crate) fn apply(&self, tape: &mut Tape, image: &Value) -> Result<Value, GraphError> {
        let mut image = image.clone();
        for (axis, [first, end]) in [2, 3].into_iter().zip(self.crop) {
            image = ops::slice(tape, &image, axis, signed(first), signed(end))?;
        }
        let sides = self.size.map(|side| Length::fixed(signed(side)));
        let image = resized(tape, &image, sides)?;
        let image = self.with_channels(tape, &image)?;
        if self.is_nhwc {
            return ops::transpose(tape, &image, &[0, 2, 3, 1]);
        }
        Ok(image)
    }

    /// The channels as a convolution of single pixels.
    fn with_channels(&self, tape: &mut Tape, image: &Value) -> Result<Value, GraphError> {
        let unchanged = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|weights| (weights, 0.0));
        if self.channels == unchanged {
            return Ok(image.clone());
        }
        let count = self.channels.len();
        let weights = ArrayD::from_shape_fn(IxDyn(&[count, 3, 1, 1]), |at| self.channels[at[0]].0[at[1]]);
        let shifts: Array1<f32> = self.channels.iter().map(|channel| channel.1).collect();
        let [weights, shifts] = [weights, shifts.into_dyn()].map(|values| tape.constant(&values));
        tape.node(
            "Conv",
            &[image, &weights, &shifts],
            vec![integers("kernel_shape", &[1, 1])],
        )
    }
}

/// The output of this name, or else the first.
pub(crate) fn output_or_first(model: &Model, name: &str) -> Result<String, GraphError> {
    let outputs = &model.graph().output;
    let output = outputs.iter().find(|output| output.name == name);
    let output = output.or(outputs.first()).map(|output| output.name.clone());
    output.ok_or_else(|| GraphError::NoTensor {
        name: name.to_owned(),
    })
}

/// Adds a generator to a tape: the code, which the graph calls `code`, and the image with its lengths.
///
/// # Errors
/// [`GraphError`] if an operator cannot be differentiated, or the images are not `[batch, 3, height, width]` with fixed sides.
pub(crate) fn synthesized(
    tape: &mut Tape,
    synthesis: &Model,
    code: &str,
) -> Result<(Value, Value, [Length; 4]), GraphError> {
    let (input, shape) = batch_input(synthesis)?;
    let code = tape.input(code, shape);
    let output = output_or_first(synthesis, "image")?;
    let image = tape
        .append(synthesis, &[(&input, &code)], &[&output])?
        .swap_remove(0);
    let lengths = check_images(tape, &output, &image)?;
    Ok((code, image, lengths))
}

/// An error unless images are `[batch, 3, height, width]` with fixed sides.
fn check_images(tape: &Tape, name: &str, image: &Value) -> Result<[Length; 4], GraphError> {
    let shape = tape.shape(image).to_vec();
    match *shape.as_slice() {
        [Length::BATCH, channels, height, width] => Ok([Length::BATCH, channels, height, width]),
        _ => Err(GraphError::Tensor {
            tensor: format!("output {name:?}"),
            found: describe(&shape),
            expected: "[batch, 3, height, width]".to_owned(),
        }),
    }
}

/// Images shrunk by averaging squares.
pub(crate) fn shrunk(tape: &mut Tape, image: &Value, factor: i64) -> Result<Value, GraphError> {
    let window = [factor; 2];
    let attributes = vec![integers("kernel_shape", &window), integers("strides", &window)];
    tape.node("AveragePool", &[image], attributes)
}

/// Images of other sides.
pub(crate) fn resized(tape: &mut Tape, image: &Value, sides: [Length; 2]) -> Result<Value, GraphError> {
    let &[_, _, height, width] = tape.shape(image) else {
        return Ok(image.clone());
    };
    let factors = [height.divided_by(sides[0]), width.divided_by(sides[1])];
    match factors {
        [Some(Length::ONE), Some(Length::ONE)] => Ok(image.clone()),
        [Some(down), Some(across)] if down == across => shrunk(tape, image, down.factor),
        _ => {
            let rows = Matrix::of_scaling(height.factor, sides[0].factor);
            let columns = Matrix::of_scaling(width.factor, sides[1].factor);
            ops::resample(tape, image, &rows, &columns)
        }
    }
}
