//! The scores of the image of a code, and the gradient of their weighted sum by the code.

use std::collections::BTreeMap;

use ndarray::{ArrayD, IxDyn};

use crate::graph::gradient::derivative::differentiate;
use crate::graph::gradient::image_conversion::{ImageConversion, output_or_first, synthesized};
use crate::graph::gradient::input::sole_input;
use crate::graph::gradient::ops;
use crate::graph::gradient::step::{Gradient, count_of};
use crate::graph::gradient::tape::Tape;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Model, Value, integer, signed};

/// The least distance of a probability from 0 and 1 whose logit is taken. `f32` has no probabilities nearer to 1.
const LEAST_PROBABILITY: f64 = 1e-7;

/// A classifier of images.
#[derive(Clone, Debug)]
pub struct ScoringNetwork<'a> {
    /// Its graph.
    pub model: &'a Model,
    /// How the generator's images become its input.
    pub conversion: ImageConversion,
    /// Its scores.
    pub scores: Vec<LinearScore>,
}

/// A score on a scale where it changes about linearly with the code: a logit, or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearScore {
    /// The column of the score. If several scores have one column, its score is their mean.
    pub column: usize,
    /// The output to read. `None` is the one called `scores`, or else the first.
    pub output: Option<String>,
    /// How it is read from the columns of that output.
    pub reading: ScoreReading,
    /// Whether the score is a probability, so that several are averaged as such.
    pub is_probability: bool,
}

/// How a linear score is read from the columns of an output.
#[derive(Clone, Debug, PartialEq)]
pub enum ScoreReading {
    /// A column as it is.
    Column(usize),
    /// The logit of the probability in a column.
    Logit(usize),
    /// The logarithm of the odds of a column against others, whose values are logits.
    LogOdds {
        /// The column.
        column: usize,
        /// The others.
        others: Vec<usize>,
    },
    /// The expected value: columns, each with its value.
    Expected {
        /// The columns and their values.
        bins: Vec<(usize, f64)>,
        /// Whether the columns are logits, which softmax makes probabilities.
        is_softmax: bool,
    },
}

/// The graph of the scores of a code's image, and of their gradient.
///
/// It takes codes, which it calls `code`, and `weights` `[batch, scores]`. It returns `scores` `[batch, scores]`, and `gradient`: for
/// each code the gradient of the sum of weights · scores. With the weights of one score 1 and the others 0, that is the gradient of
/// this score.
///
/// # Errors
/// [`GraphError`] if an operator cannot be differentiated, which it names, or if the networks do not fit.
pub fn score_gradient(
    synthesis: &Model,
    code: &str,
    networks: &[ScoringNetwork<'_>],
) -> Result<Model, GraphError> {
    let mut tape = Tape::default();
    let (code, image, _) = synthesized(&mut tape, synthesis, code)?;
    let mut parts: BTreeMap<usize, Vec<(Value, bool)>> = BTreeMap::new();
    for network in networks {
        let scores = linear_scores(&mut tape, &image, network)?;
        for (score, value) in network.scores.iter().zip(scores) {
            let part = (value, score.is_probability);
            parts.entry(score.column).or_default().push(part);
        }
    }
    let columns = parts.into_values().map(|parts| mean(&mut tape, parts));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let scores = ops::concat(&mut tape, &columns, 1)?;
    let shape = tape.shape(&scores).to_vec();
    let weights = tape.input("weights", shape);
    let seeds = vec![(scores.clone(), Gradient::new(weights.clone(), 1.0))];
    let gradient = differentiate(&mut tape, seeds, &code)?;
    Ok(tape.finish(
        &[&code, &weights],
        &[("scores", &scores), ("gradient", &gradient)],
    ))
}

/// The scores of a classifier, each `[batch, 1]`.
fn linear_scores(
    tape: &mut Tape,
    image: &Value,
    network: &ScoringNetwork<'_>,
) -> Result<Vec<Value>, GraphError> {
    let converted = network.conversion.apply(tape, image)?;
    let (input, _) = sole_input(network.model)?;
    let default = output_or_first(network.model, "scores")?;
    let names = network
        .scores
        .iter()
        .map(|score| score.output.as_ref().unwrap_or(&default));
    let names: Vec<&str> = names.map(String::as_str).collect();
    let outputs = tape.append(network.model, &[(&input, &converted)], &names)?;
    let scores = network.scores.iter().zip(outputs);
    scores
        .map(|(score, output)| linear_score(tape, &score.reading, &output))
        .collect()
}

fn linear_score(tape: &mut Tape, reading: &ScoreReading, output: &Value) -> Result<Value, GraphError> {
    match reading {
        ScoreReading::Column(column) => column_of(tape, output, *column),
        ScoreReading::Logit(column) => logit_of_output(tape, output, *column),
        ScoreReading::LogOdds { column, others } => log_odds(tape, output, *column, others),
        ScoreReading::Expected { bins, is_softmax } => {
            let columns: Vec<_> = bins.iter().map(|&(column, _)| column).collect();
            let mut values = columns_of(tape, output, &columns)?;
            if *is_softmax {
                values = tape.node("Softmax", &[&values], vec![integer("axis", 1)])?;
            }
            #[expect(clippy::cast_possible_truncation, reason = "graphs compute in f32")]
            let bins = ArrayD::from_shape_fn(IxDyn(&[bins.len(), 1]), |at| bins[at[0]].1 as f32);
            let bins = tape.constant(&bins);
            ops::matmul(tape, &values, &bins)
        }
    }
}

/// The logit of a column of probabilities. If sigmoid or softmax made them, the logit is taken before it: near 0 and 1, a probability
/// in f32 has no derivative left.
fn logit_of_output(tape: &mut Tape, output: &Value, column: usize) -> Result<Value, GraphError> {
    let maker = tape
        .nodes()
        .iter()
        .find(|node| node.output.iter().any(|name| name == output.name()));
    let before = maker.and_then(|node| Some((node.op_type.as_str(), Value::named(node.input_name(0)?))));
    match before {
        Some(("Sigmoid", logits)) => column_of(tape, &logits, column),
        Some(("Softmax", logits)) if tape.shape(output).len() == 2 => {
            let columns = usize::try_from(tape.shape(output)[1].factor).unwrap_or(0);
            let others: Vec<_> = (0..columns).filter(|&other| other != column).collect();
            log_odds(tape, &logits, column, &others)
        }
        _ => {
            let probability = column_of(tape, output, column)?;
            logit(tape, &probability)
        }
    }
}

/// The logarithm of the odds of probabilities.
fn logit(tape: &mut Tape, probability: &Value) -> Result<Value, GraphError> {
    let [least, most] = [LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY].map(|bound| tape.number(bound));
    let probability = tape.node("Clip", &[probability, &least, &most], vec![])?;
    let rest = ops::complement(tape, 1.0, &probability)?;
    let [probability, rest] = [probability, rest].map(|value| ops::unary(tape, "Log", &value));
    ops::sub(tape, &probability?, &rest?)
}

fn log_odds(tape: &mut Tape, logits: &Value, column: usize, others: &[usize]) -> Result<Value, GraphError> {
    let own = column_of(tape, logits, column)?;
    let others = columns_of(tape, logits, others)?;
    let axes = tape.integers(&[1]);
    let others = tape.node("ReduceLogSumExp", &[&others, &axes], vec![integer("keepdims", 1)])?;
    ops::sub(tape, &own, &others)
}

/// A column of an output, `[batch, 1]`.
fn column_of(tape: &mut Tape, output: &Value, column: usize) -> Result<Value, GraphError> {
    let columns: i64 = tape
        .shape(output)
        .iter()
        .skip(1)
        .map(|length| length.factor)
        .product();
    let flat = ops::reshape(tape, output, &[Length::BATCH, Length::fixed(columns)])?;
    ops::slice(tape, &flat, 1, signed(column), signed(column + 1))
}

/// Columns of an output side by side.
fn columns_of(tape: &mut Tape, output: &Value, columns: &[usize]) -> Result<Value, GraphError> {
    let columns = columns.iter().map(|&column| column_of(tape, output, column));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    ops::concat(tape, &columns, 1)
}

/// The mean of the scores of several classifiers, each with whether it is a probability; then the mean of the probabilities counts.
fn mean(tape: &mut Tape, mut parts: Vec<(Value, bool)>) -> Result<Value, GraphError> {
    if parts.len() == 1 {
        return Ok(parts.swap_remove(0).0);
    }
    let is_probability = parts.iter().all(|part| part.1);
    let count = count_of(i64::try_from(parts.len()).unwrap_or(1));
    let mut sum: Option<Value> = None;
    for (mut value, _) in parts {
        if is_probability {
            value = ops::unary(tape, "Sigmoid", &value)?;
        }
        sum = Some(match sum {
            None => value,
            Some(sum) => ops::add(tape, &sum, &value)?,
        });
    }
    let sum = sum.expect("a column has at least one score");
    let mean = ops::scale(tape, &sum, 1.0 / count)?;
    if is_probability {
        logit(tape, &mean)
    } else {
        Ok(mean)
    }
}
