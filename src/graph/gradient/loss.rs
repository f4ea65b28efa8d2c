//! The loss between the image of a code and a target, and its gradient by the code.

use ndarray::{ArrayD, IxDyn};

use crate::graph::gradient::derivative::differentiate;
use crate::graph::gradient::features::feature_names;
use crate::graph::gradient::image_conversion::{resized, shrunk, synthesized};
use crate::graph::gradient::input::{self, sole_input};
use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, count_of};
use crate::graph::gradient::tape::Tape;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Model, Value};

/// The weight of the perceptual loss; the pixel loss has 1.
const PERCEPTUAL_WEIGHT: f64 = 0.05;

/// The difference at which the pixel loss changes from squares to absolute values, in images from −1 to 1.
const HUBER: f64 = 0.1;

/// The pixel loss halves the image down to this side, or to an odd one.
const COARSEST: i64 = 8;

/// Added to the mean square of a feature map, by which its differences are divided.
const EPSILON: f64 = 1e-6;

/// A network of images, such as the encoder, in whose features images are compared.
#[derive(Clone, Copy, Debug)]
pub struct Perceptual<'a> {
    /// Its graph.
    pub model: &'a Model,
    /// The values of black and white in its input, for each channel of the image.
    pub image_range: [[f32; 2]; 3],
    /// Whether its input begins with blue.
    pub is_bgr: bool,
}

/// The graph of the loss of a code, and of its gradient.
///
/// For an image a and the target b, from −1 to 1, the loss is
///
/// - the pixel loss: a difference d counts d² / 2h if |d| < h and |d| − h / 2 otherwise, with h = 0.1, averaged over the elements,
///   and over scales from the full size halved down to a side of 8;
/// - plus 0.05 times the perceptual loss: |f(a) − f(b)|² / (|f(b)|² + 10⁻⁶), averaged over the feature maps f.
///
/// `synthesis` takes codes and returns images whose black and white are `image_range`. The graph calls the codes `code`.
///
/// # Errors
/// [`GraphError`] if an operator cannot be differentiated, which it names, or if the networks do not fit.
pub fn loss_gradient(
    synthesis: &Model,
    code: &str,
    image_range: [f32; 2],
    perceptual: Option<Perceptual<'_>>,
) -> Result<Model, GraphError> {
    let mut tape = Tape::default();
    let (code, image, [_, channels, height, width]) = synthesized(&mut tape, synthesis, code)?;
    let target = tape.input("target", vec![Length::BATCH, channels, height, width]);
    let mut seeds = Vec::new();
    let pixel = pixel_loss(&mut tape, &image, &target, image_range, &mut seeds)?;
    let Some(perceptual) = perceptual else {
        let gradient = differentiate(&mut tape, seeds, &code)?;
        return Ok(tape.finish(&[&code, &target], &[("loss", &pixel), ("gradient", &gradient)]));
    };
    let distance = perceptual_loss(&mut tape, &image, &target, image_range, perceptual, &mut seeds)?;
    let weighted = ops::scale(&mut tape, &distance, PERCEPTUAL_WEIGHT)?;
    let loss = ops::add(&mut tape, &pixel, &weighted)?;
    let gradient = differentiate(&mut tape, seeds, &code)?;
    Ok(tape.finish(
        &[&code, &target],
        &[
            ("loss", &loss),
            ("gradient", &gradient),
            ("perceptual", &distance),
        ],
    ))
}

/// The gradients of tensors that the code determines.
type Seeds = Vec<(Value, Gradient)>;

/// The pixel loss `[batch]`.
///
/// For c = d limited to ±h, an element counts (c d − c² / 2) / h, and its derivative is c / h.
fn pixel_loss(
    tape: &mut Tape,
    image: &Value,
    target: &Value,
    image_range: [f32; 2],
    seeds: &mut Seeds,
) -> Result<Value, GraphError> {
    let mut difference = ops::sub(tape, image, target)?;
    let span = f64::from(image_range[1]) - f64::from(image_range[0]);
    difference = ops::scale(tape, &difference, 2.0 / span)?;
    let mut levels = vec![difference.clone()];
    while let Some(half) = halved(tape, &difference)? {
        difference = half;
        levels.push(difference.clone());
    }
    let scales = count_of(i64::try_from(levels.len()).unwrap_or(1));
    let mut losses = Vec::new();
    for difference in levels {
        let (low, high) = (tape.number(-HUBER), tape.number(HUBER));
        let limited = tape.node("Clip", &[&difference, &low, &high], vec![])?;
        let half = ops::scale(tape, &limited, 0.5)?;
        let rest = ops::sub(tape, &difference, &half)?;
        let product = ops::mul(tape, &limited, &rest)?;
        losses.push(image_mean(tape, &product)?);
        let elements = elements_of_an_image(tape, &difference);
        seeds.push((
            difference,
            Gradient::new(limited, 1.0 / (HUBER * scales * elements)),
        ));
    }
    let sum = total(tape, losses)?;
    ops::scale(tape, &sum, 1.0 / (HUBER * scales))
}

/// Images of half the side, if the sides are even and the result is not too small.
fn halved(tape: &mut Tape, image: &Value) -> Result<Option<Value>, GraphError> {
    let can_halve = |length: &Length| length.factor % 2 == 0 && length.factor / 2 >= COARSEST;
    if !tape.shape(image)[2..].iter().all(can_halve) {
        return Ok(None);
    }
    shrunk(tape, image, 2).map(Some)
}

fn elements_of_an_image(tape: &Tape, value: &Value) -> f64 {
    tape.shape(value)[1..]
        .iter()
        .map(|length| count_of(length.factor))
        .product()
}

/// The mean of each image, `[batch]`.
fn image_mean(tape: &mut Tape, value: &Value) -> Result<Value, GraphError> {
    let mean = ops::mean(tape, value, &[1, 2, 3])?;
    ops::reshape(tape, &mean, &[Length::BATCH])
}

fn total(tape: &mut Tape, values: Vec<Value>) -> Result<Value, GraphError> {
    let mut values = values.into_iter();
    let first = values.next().expect("there is at least one value");
    values.try_fold(first, |sum, value| ops::add(tape, &sum, &value))
}

/// The perceptual loss `[batch]`.
fn perceptual_loss(
    tape: &mut Tape,
    image: &Value,
    target: &Value,
    image_range: [f32; 2],
    network: Perceptual<'_>,
    seeds: &mut Seeds,
) -> Result<Value, GraphError> {
    let (name, declared) = sole_input(network.model)?;
    let shape = tape.shape(image).to_vec();
    let sides = match *declared.as_slice() {
        [_, Some(channels), height, width] if channels == shape[1] => {
            [height.unwrap_or(shape[2]), width.unwrap_or(shape[3])]
        }
        _ => {
            return Err(GraphError::Tensor {
                tensor: format!("input {name:?}"),
                found: input::describe(&declared),
                expected: "[batch, 3, height, width]".to_owned(),
            });
        }
    };
    let mut maps = Vec::new();
    let names = feature_names(network.model, &[shape[0], shape[1], sides[0], sides[1]])?;
    let outputs: Vec<_> = names.iter().map(String::as_str).collect();
    for image in [image, target] {
        let small = resized(tape, image, sides)?;
        let input = converted(tape, &small, image_range, network)?;
        maps.push(tape.append(network.model, &[(&name, &input)], &outputs)?);
    }
    let count = count_of(i64::try_from(names.len()).unwrap_or(1));
    let mut losses = Vec::new();
    for (one, other) in maps[0].clone().into_iter().zip(&maps[1]) {
        let difference = ops::sub(tape, &one, other)?;
        let square = ops::mul(tape, &difference, &difference)?;
        let square = image_mean(tape, &square)?;
        let scale = ops::mul(tape, other, other)?;
        let scale = image_mean(tape, &scale)?;
        let scale = ops::shift(tape, &scale, EPSILON)?;
        losses.push(ops::div(tape, &square, &scale)?);
        let scale = ops::reshape(
            tape,
            &scale,
            &[Length::BATCH, Length::ONE, Length::ONE, Length::ONE],
        )?;
        let slope = ops::div(tape, &difference, &scale)?;
        let factor = 2.0 * PERCEPTUAL_WEIGHT / (count * elements_of_an_image(tape, &one));
        seeds.push((one, Gradient::new(slope, factor)));
    }
    let sum = total(tape, losses)?;
    ops::scale(tape, &sum, 1.0 / count)
}

/// Images in the range and the order of channels that a network takes.
fn converted(
    tape: &mut Tape,
    image: &Value,
    range: [f32; 2],
    network: Perceptual<'_>,
) -> Result<Value, GraphError> {
    let [black, white] = range;
    let factors = network.image_range.map(|to| (to[1] - to[0]) / (white - black));
    let offsets = [0, 1, 2].map(|channel| network.image_range[channel][0] - black * factors[channel]);
    let [factors, offsets] = [factors, offsets].map(|values| tape.constant(&of_channels(values)));
    let scaled = ops::mul(tape, image, &factors)?;
    let shifted = ops::add(tape, &scaled, &offsets)?;
    if !network.is_bgr {
        return Ok(shifted);
    }
    let channels = [2, 1, 0].map(|channel| ops::slice(tape, &shifted, 1, channel, channel + 1));
    let [blue, green, red] = channels;
    ops::concat(tape, &[blue?, green?, red?], 1)
}

/// A number for each channel; one number if they are equal.
fn of_channels(values: [f32; 3]) -> ArrayD<f32> {
    let is_one = values.iter().all(|value| value.to_bits() == values[0].to_bits());
    let used = if is_one { &values[..1] } else { &values };
    ArrayD::from_shape_fn(IxDyn(&[1, used.len(), 1, 1]), |index| used[index[1]])
}
