//! Reads the scores of a manifest out of a classifier's outputs.

use ndarray::{Array2, ArrayD, ArrayView1};

use crate::catalog::{Activation, Bins, OutputEntry, OutputKind};
use crate::graph::gradient::ScoreReading;

/// Reads scores out of a classifier's outputs.
pub(crate) struct ScoreReader {
    scores: Vec<Score>,
}

/// One score: the index of the output, and how its columns become the score.
struct Score {
    output: usize,
    reading: Reading,
}

enum Reading {
    /// A column as it is.
    Column(usize),
    /// `1 / (1 + exp(−x))` of a column.
    Sigmoid(usize),
    /// The probability of a column, by softmax over several.
    Softmax { column: usize, columns: Vec<usize> },
    /// The logarithm of the odds of a column against the others, by softmax over several.
    LogOdds { column: usize, others: Vec<usize> },
    /// The expected value: columns, each with its value.
    Expected {
        bins: Vec<(usize, f64)>,
        is_softmax: bool,
    },
}

/// An output that does not fit its entries.
#[derive(Debug)]
pub(crate) struct WrongOutput {
    /// Its index in [`output_names`].
    pub(crate) output: usize,
    pub(crate) expected: String,
}

/// The different outputs that entries read, in the order of their first entries. `None` is the default one.
pub(crate) fn output_names(entries: &[OutputEntry]) -> Vec<Option<&str>> {
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.output.as_deref();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl ScoreReader {
    /// A reader for entries, whose outputs have these numbers of columns. `None` is a number that the graph leaves open.
    ///
    /// # Errors
    /// [`WrongOutput`] if an output does not have the columns that its entries read.
    pub(crate) fn new(entries: &[OutputEntry], columns: &[Option<usize>]) -> Result<Self, WrongOutput> {
        let names = output_names(entries);
        let mut scores = Vec::with_capacity(entries.len());
        for (output, (name, count)) in names.iter().zip(columns).enumerate() {
            let of_output = entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.output.as_deref() == *name);
            let readers = of_output.clone().count();
            for (position, (index, entry)) in of_output.enumerate() {
                let reading = reading(entry, *count, position, readers);
                let reading = reading.map_err(|expected| WrongOutput { output, expected })?;
                scores.push((index, Score { output, reading }));
            }
        }
        scores.sort_by_key(|(index, _)| *index);
        Ok(Self {
            scores: scores.into_iter().map(|(_, score)| score).collect(),
        })
    }

    /// The scores `[images, entries]` in outputs `[images, columns]`.
    pub(crate) fn read(&self, outputs: &[ArrayD<f32>], images: usize) -> Array2<f32> {
        let flat: Vec<_> = outputs
            .iter()
            .map(|output| {
                let columns = output.len() / images.max(1);
                output
                    .to_shape((images, columns))
                    .expect("the first axis of an output is the images")
            })
            .collect();
        Array2::from_shape_fn((images, self.scores.len()), |(image, score)| {
            let Score { output, reading } = &self.scores[score];
            reading.score(flat[*output].row(image))
        })
    }
}

/// How an entry's score is read: it is entry `position` of `readers` that read an output of `count` columns. The error is what the
/// output should be.
fn reading(
    entry: &OutputEntry,
    count: Option<usize>,
    position: usize,
    readers: usize,
) -> Result<Reading, String> {
    let Some(count) = count else {
        return Err("[batch, columns] with a fixed number of columns".to_owned());
    };
    let attribute = &entry.attribute;
    let columns = entry.columns.clone().unwrap_or_else(|| (0..count).collect());
    let largest = columns.iter().copied().chain(entry.column).max().unwrap_or(0);
    if largest >= count {
        return Err(format!(
            "[batch, {}] or more columns, because the manifest reads column {largest} (counted from 0) for {attribute:?}",
            largest + 1
        ));
    }
    let is_softmax = entry.activation == Some(Activation::Softmax);
    if let Some(bins) = &entry.bins {
        let bins = binned(bins, &columns, attribute)?;
        return Ok(Reading::Expected { bins, is_softmax });
    }
    let column = match entry.column {
        Some(column) => column,
        None if readers == count => position,
        None => {
            return Err(format!(
                "[batch, {readers}], because the manifest lists {readers} outputs: name the column of each with column, or \
                 list all"
            ));
        }
    };
    Ok(match (entry.activation, entry.kind) {
        (None, _) => Reading::Column(column),
        (Some(Activation::Sigmoid), _) => Reading::Sigmoid(column),
        (Some(Activation::Softmax), OutputKind::Logit) => Reading::LogOdds {
            column,
            others: columns.into_iter().filter(|&other| other != column).collect(),
        },
        (Some(Activation::Softmax), _) => Reading::Softmax { column, columns },
    })
}

/// Columns with their values. The error is what the output should be.
fn binned(bins: &Bins, columns: &[usize], attribute: &str) -> Result<Vec<(usize, f64)>, String> {
    if let Bins::Each(values) = bins
        && values.len() != columns.len()
    {
        return Err(format!(
            "{} columns, one for each of the bins of {attribute:?}; the manifest reads {}",
            values.len(),
            columns.len()
        ));
    }
    let value = |(position, &column)| Some((column, bins.value(position)?));
    Ok(columns.iter().enumerate().filter_map(value).collect())
}

impl ScoreReader {
    /// How each entry's score is read on its linear scale: the logit of a probability, or the score itself. Together with the output.
    pub(crate) fn linear(&self, entries: &[OutputEntry]) -> Vec<(Option<String>, ScoreReading)> {
        let names = output_names(entries);
        let linear = |(score, entry): (&Score, &OutputEntry)| {
            let reading = match &score.reading {
                Reading::Column(column) if entry.kind == OutputKind::Probability => {
                    ScoreReading::Logit(*column)
                }
                Reading::Column(column) | Reading::Sigmoid(column) => ScoreReading::Column(*column),
                Reading::Softmax { column, columns } => ScoreReading::LogOdds {
                    column: *column,
                    others: columns.iter().copied().filter(|other| other != column).collect(),
                },
                Reading::LogOdds { column, others } => ScoreReading::LogOdds {
                    column: *column,
                    others: others.clone(),
                },
                Reading::Expected { bins, is_softmax } => ScoreReading::Expected {
                    bins: bins.clone(),
                    is_softmax: *is_softmax,
                },
            };
            (names[score.output].map(str::to_owned), reading)
        };
        self.scores.iter().zip(entries).map(linear).collect()
    }
}

impl Reading {
    #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
    fn score(&self, row: ArrayView1<'_, f32>) -> f32 {
        let value = |column: usize| f64::from(row[column]);
        match self {
            Self::Column(column) => row[*column],
            Self::Sigmoid(column) => (1.0 / (1.0 + (-value(*column)).exp())) as f32,
            Self::Softmax { column, columns } => {
                let all = log_sum_exp(columns.iter().map(|&column| value(column)));
                (value(*column) - all).exp() as f32
            }
            Self::LogOdds { column, others } => {
                let others = log_sum_exp(others.iter().map(|&column| value(column)));
                (value(*column) - others) as f32
            }
            Self::Expected { bins, is_softmax } => {
                let columns = bins.iter().map(|&(column, _)| value(column));
                let all = if *is_softmax { log_sum_exp(columns) } else { 0.0 };
                let probability = |value: f64| if *is_softmax { (value - all).exp() } else { value };
                let terms = bins.iter().map(|&(column, bin)| probability(value(column)) * bin);
                terms.sum::<f64>() as f32
            }
        }
    }
}

/// `ln Σ exp(x)`, without overflow.
fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
    most + values.map(|value| (value - most).exp()).sum::<f64>().ln()
}
