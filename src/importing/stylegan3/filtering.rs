//! The filtered nonlinearity: upsample, leaky ReLU, downsample.

use ndarray::{Array2, Array4};

use crate::graph::operators::{Convolution, add, clip, concat, conv, depth_to_space, leaky_relu, slice};
use crate::graph::{GraphBuilder, Value, signed};
use crate::importing::stylegan3::phases::{Correlation, DownFilter, Resampling};

/// The slope of the leaky ReLU for negative values.
const SLOPE: f32 = 0.2;
/// The factor after the leaky ReLU.
const GAIN: f32 = std::f32::consts::SQRT_2;

/// The direction of a filter.
#[derive(Clone, Copy, Debug)]
enum Direction {
    X,
    Y,
}

/// The filtered nonlinearity of `input` `[batch, channels, height, width]`.
///
/// All filters run at the sampling rate of the input, on phases, as depthwise convolutions.
pub(super) fn filtered_leaky_relu(
    graph: &mut GraphBuilder,
    input: &Value,
    channels: usize,
    resampling: &Resampling,
    clamp: Option<f32>,
) -> Value {
    let mut filtering = Filtering {
        graph,
        channels,
        resampling,
        clamp,
    };
    let upsampled = filtering.upsampled(input);
    let output = match &resampling.down {
        DownFilter::Separable(taps) => filtering.separably_downsampled(&upsampled, taps),
        DownFilter::Full(taps) => filtering.downsampled(&upsampled, taps),
    };
    filtering.interleaved(&output)
}

struct Filtering<'a> {
    graph: &'a mut GraphBuilder,
    channels: usize,
    resampling: &'a Resampling,
    clamp: Option<f32>,
}

impl Filtering<'_> {
    /// The phases of the upsampled features after the nonlinearity, first by y.
    fn upsampled(&mut self, input: &Value) -> Vec<Vec<Value>> {
        let correlations = self.resampling.up_correlations();
        let scale = float(self.resampling.up_factor);
        let columns: Vec<_> = correlations
            .iter()
            // The leaky ReLU keeps positive factors.
            .map(|x| self.correlated(input, x, Direction::X, scale * GAIN))
            .collect();
        correlations
            .iter()
            .map(|y| {
                let phases = columns.iter().map(|column| {
                    let value = self.correlated(column, y, Direction::Y, scale);
                    let value = leaky_relu(self.graph, &value, SLOPE);
                    match self.clamp {
                        Some(limit) => clip(self.graph, &value, -limit, limit),
                        None => value,
                    }
                });
                phases.collect()
            })
            .collect()
    }

    /// The phases of the output, first by y, with the same taps in both directions.
    fn separably_downsampled(&mut self, phases: &[Vec<Value>], taps: &[f32]) -> Vec<Vec<Value>> {
        let flipped: Vec<_> = taps.iter().rev().copied().collect();
        let outputs = self.resampling.output_phases();
        let mut rows = Vec::new();
        for y in 0..outputs {
            let columns: Vec<Vec<Value>> = (0..phases.len())
                .map(|x| phases.iter().map(|row| row[x].clone()).collect())
                .collect();
            let row: Vec<_> = columns
                .iter()
                .map(|column| self.line(column, &flipped, y, Direction::Y))
                .collect();
            rows.push(
                (0..outputs)
                    .map(|x| self.line(&row, &flipped, x, Direction::X))
                    .collect(),
            );
        }
        rows
    }

    /// An output phase of the phases in one direction.
    fn line(&mut self, phases: &[Value], taps: &[f32], output: usize, direction: Direction) -> Value {
        let parts: Vec<_> = phases
            .iter()
            .enumerate()
            .map(|(phase, value)| {
                let indices = self.resampling.down_taps(phase, output);
                let taps = indices.iter().map(|index| index.map_or(0.0, |index| taps[index]));
                let correlation = Correlation {
                    taps: taps.collect(),
                    before: 0,
                    after: 0,
                };
                self.correlated(value, &correlation, direction, 1.0)
            })
            .collect();
        self.sum(&parts)
    }

    /// The phases of the output, first by y, with a filter that is not separable.
    fn downsampled(&mut self, phases: &[Vec<Value>], taps: &Array2<f32>) -> Vec<Vec<Value>> {
        let outputs = self.resampling.output_phases();
        let side = taps.nrows();
        let mut rows = Vec::new();
        for output_y in 0..outputs {
            let mut row = Vec::new();
            for output_x in 0..outputs {
                let mut parts = Vec::new();
                for (phase_y, values) in phases.iter().enumerate() {
                    let y = self.resampling.down_taps(phase_y, output_y);
                    for (phase_x, value) in values.iter().enumerate() {
                        let x = self.resampling.down_taps(phase_x, output_x);
                        let kernel = Array4::from_shape_fn((self.channels, 1, y.len(), x.len()), |at| {
                            let (y, x) = (y[at.2], x[at.3]);
                            y.zip(x).map_or(0.0, |(y, x)| taps[(side - 1 - y, side - 1 - x)])
                        });
                        parts.push(self.depthwise(value, kernel, [0; 4]));
                    }
                }
                row.push(self.sum(&parts));
            }
            rows.push(row);
        }
        rows
    }

    /// The features of the output from its phases.
    fn interleaved(&mut self, phases: &[Vec<Value>]) -> Value {
        let factor = phases.len();
        let phases: Vec<_> = phases.iter().flatten().collect();
        if let [only] = phases[..] {
            return only.clone();
        }
        let stacked = concat(self.graph, &phases, 1);
        let mut value = depth_to_space(self.graph, &stacked, signed(factor));
        let wanted = self.resampling.output;
        if factor * self.resampling.phase_length() > wanted {
            value = slice(self.graph, &value, 2, 0, signed(wanted));
            value = slice(self.graph, &value, 3, 0, signed(wanted));
        }
        value
    }

    fn sum(&mut self, parts: &[Value]) -> Value {
        let mut sum = parts[0].clone();
        for part in &parts[1..] {
            sum = add(self.graph, &sum, part);
        }
        sum
    }

    /// The correlation of each channel in one direction, times a factor.
    fn correlated(&mut self, value: &Value, by: &Correlation, direction: Direction, factor: f32) -> Value {
        let taps = by.taps.len();
        let (before, after) = (signed(by.before), signed(by.after));
        let (shape, padding) = match direction {
            Direction::X => ((self.channels, 1, 1, taps), [0, before, 0, after]),
            Direction::Y => ((self.channels, 1, taps, 1), [before, 0, after, 0]),
        };
        let kernel = Array4::from_shape_fn(shape, |(_, _, y, x)| by.taps[y + x] * factor);
        self.depthwise(value, kernel, padding)
    }

    fn depthwise(&mut self, value: &Value, kernel: Array4<f32>, padding: [i64; 4]) -> Value {
        let settings = Convolution {
            stride: 1,
            padding,
            groups: signed(self.channels),
        };
        let kernel = self.graph.constant(&kernel);
        conv(self.graph, value, &kernel, None, settings)
    }
}

#[allow(clippy::cast_precision_loss, reason = "a factor is a small number")]
fn float(factor: usize) -> f32 {
    factor as f32
}
