//! The input of the first layer: sines in the plane, moved and turned as w says.

use std::f32::consts::TAU;

use ndarray::{Array2, ArrayD, Axis as Dim};

use crate::graph::operators::{
    Convolution, add, clip, concat, conv, div, matmul, mul, reduce_sum, sin, slice, sqrt, sub, unsqueeze,
};
use crate::graph::{GraphBuilder, Value, scalar};
use crate::importing::stylegan3::generator::FourierInput;

/// The features `[batch, channels, size, size]` for a w code `[batch, w_dim]`.
pub(super) fn build(graph: &mut GraphBuilder, input: &FourierInput, code: &Value) -> Value {
    let motion = motion(graph, input, code);
    let waves = waves(input);
    let [x, y, phase] = waves.map(|wave| {
        let wave = graph.constant(&wave);
        matmul(graph, &motion, &wave)
    });
    let phases = graph.constant(&input.phases);
    let phase = add(graph, &phase, &phases);
    let amplitude = amplitude(graph, input, [&x, &y]);
    let sines = sines(graph, input, [&x, &y, &phase]);
    let amplitude = unsqueeze(graph, &amplitude, &[2, 3]);
    let sines = mul(graph, &sines, &amplitude);
    let mix = input.mix.clone().insert_axis(Dim(2)).insert_axis(Dim(3));
    let mix = graph.constant(&mix);
    conv(graph, &sines, &mix, None, Convolution::padded(0))
}

/// What all coordinates depend on linearly, `[batch, 4]`: cosine, sine, and the translation after the rotation.
fn motion(graph: &mut GraphBuilder, input: &FourierInput, code: &Value) -> Value {
    let raw = input.transformation.build(graph, code);
    let rotation = slice(graph, &raw, 1, 0, 2);
    let squares = mul(graph, &rotation, &rotation);
    let squares = reduce_sum(graph, &squares, &[1]);
    let length = sqrt(graph, &squares);
    let normalized = div(graph, &raw, &length);
    let [cosine, sine, x, y] = [0, 1, 2, 3].map(|index| slice(graph, &normalized, 1, index, index + 1));
    let mut product = |a: &Value, b: &Value| mul(graph, a, b);
    let (sine_y, cosine_x) = (product(&sine, &y), product(&cosine, &x));
    let (sine_x, cosine_y) = (product(&sine, &x), product(&cosine, &y));
    let x = sub(graph, &sine_y, &cosine_x);
    let y = add(graph, &sine_x, &cosine_y);
    // The matrix of `waves` has the sign of y.
    concat(graph, &[&cosine, &sine, &x, &y], 1)
}

/// For each channel, what the motion gives its frequency in x, its frequency in y and its phase: three matrices `[4, channels]`.
///
/// The rows of the transformation are (cos, −sin, x) · U and (sin, cos, −y) · U with the transformation U that follows.
fn waves(input: &FourierInput) -> [Array2<f32>; 3] {
    let (user, frequencies) = (&input.user, &input.frequencies);
    [0, 1, 2].map(|column| {
        Array2::from_shape_fn((4, frequencies.nrows()), |(part, channel)| {
            let (fx, fy) = (frequencies[(channel, 0)], frequencies[(channel, 1)]);
            match part {
                0 => fx * user[(0, column)] + fy * user[(1, column)],
                1 => fy * user[(0, column)] - fx * user[(1, column)],
                2 => fx * user[(2, column)],
                _ => -fy * user[(2, column)],
            }
        })
    })
}

/// The amplitude of each channel: 1 up to the bandwidth, then falling to 0 at half the sampling rate.
fn amplitude(graph: &mut GraphBuilder, input: &FourierInput, [x, y]: [&Value; 2]) -> Value {
    let x = mul(graph, x, x);
    let y = mul(graph, y, y);
    let squares = add(graph, &x, &y);
    let frequency = sqrt(graph, &squares);
    let width = input.sampling_rate / 2.0 - input.bandwidth;
    let slope = graph.constant(&scalar(-1.0 / width));
    let start = graph.constant(&scalar(1.0 + input.bandwidth / width));
    let falling = mul(graph, &frequency, &slope);
    let falling = add(graph, &falling, &start);
    clip(graph, &falling, 0.0, 1.0)
}

/// sin 2π(x · fx + y · fy + phase) at the centre of each pixel.
fn sines(graph: &mut GraphBuilder, input: &FourierInput, [x, y, phase]: [&Value; 3]) -> Value {
    let centres = centres(input);
    let columns = graph.constant(&centres);
    let rows = graph.constant(
        &centres
            .clone()
            .into_shape_with_order(vec![input.size, 1])
            .expect("as many elements"),
    );
    let turn = graph.constant(&scalar(TAU));
    let [x, y, phase] = [x, y, phase].map(|value| unsqueeze(graph, value, &[2, 3]));
    let (x, y) = (mul(graph, &x, &columns), mul(graph, &y, &rows));
    let along_rows = add(graph, &y, &phase);
    let along_rows = mul(graph, &along_rows, &turn);
    let along_columns = mul(graph, &x, &turn);
    let angle = add(graph, &along_columns, &along_rows);
    sin(graph, &angle)
}

/// The coordinates of the pixels' centres, 0 in the middle.
#[allow(clippy::cast_precision_loss, reason = "sizes are below 2^24")]
fn centres(input: &FourierInput) -> ArrayD<f32> {
    let size = input.size as f32;
    let centres = (0..input.size).map(|index| (index as f32 + 0.5 - size / 2.0) / input.sampling_rate);
    centres.collect::<ndarray::Array1<f32>>().into_dyn()
}
