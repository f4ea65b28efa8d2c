//! The tables of classifiers: their outputs, and how a score is read from them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::check::{WrongValue, check};
use super::image_network::InputEntry;
use crate::latent::check_attribute_name;

/// `[[classifiers]]`: image → scores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierEntry {
    /// File of the graph.
    pub file: String,
    /// The conversion of images for it.
    #[serde(flatten)]
    pub input: InputEntry,
    /// Its scores.
    pub outputs: Vec<OutputEntry>,
}

/// One score of a classifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// Attribute that it scores.
    pub attribute: String,
    /// Kind of the score.
    pub kind: OutputKind,
    /// Score that separates the two values of the attribute.
    pub threshold: f64,
    /// Meaning of a score above the threshold, in words.
    pub positive: Option<String>,
    /// Meaning of a score below the threshold, in words.
    pub negative: Option<String>,
    /// Name of the graph's output to read.
    pub output: Option<String>,
    /// The column of that output; absent if its columns are the entries, in their order.
    pub column: Option<usize>,
    /// The columns that softmax or the expected value run over; all columns if absent.
    pub columns: Option<Vec<usize>>,
    /// The function that makes probabilities of the columns.
    pub activation: Option<Activation>,
    /// The value of each column: the score is the expected value over them.
    pub bins: Option<Bins>,
}

/// Kind of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Logarithm of the odds.
    Logit,
    /// Probability from 0 to 1.
    Probability,
    /// Quantity with a unit of its own, such as degrees or years.
    Value,
}

/// A function that makes probabilities of a network's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// `exp(x) / Σ exp(x)` over the columns.
    Softmax,
    /// `1 / (1 + exp(−x))`.
    Sigmoid,
}

/// The values that a distribution's columns stand for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Bins {
    /// One for each column.
    Each(Vec<f64>),
    /// `first`, `first + step`, `first + 2 step`, …
    Steps {
        /// The value of the first column.
        first: f64,
        /// From one column to the next.
        step: f64,
    },
}

impl Bins {
    /// The value of a column. `None` if there are fewer.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a network has fewer than 2^52 columns")]
    pub fn value(&self, column: usize) -> Option<f64> {
        match self {
            Self::Each(values) => values.get(column).copied(),
            Self::Steps { first, step } => Some(first + step * column as f64),
        }
    }
}

/// Checks all classifiers.
pub(super) fn check_classifiers(entries: &[ClassifierEntry]) -> Result<(), WrongValue> {
    let key = "classifiers.outputs.attribute";
    // The first output of each attribute, by its name without case, with the index of its table.
    let mut known: BTreeMap<String, (usize, &OutputEntry)> = BTreeMap::new();
    for (table, entry) in entries.iter().enumerate() {
        entry.input.check("classifiers")?;
        for output in &entry.outputs {
            output.check()?;
            let attribute = &output.attribute;
            let Some((first_table, first)) = known.insert(attribute.to_lowercase(), (table, output)) else {
                continue;
            };
            check(
                first.attribute == *attribute && first_table != table,
                key,
                || format!("{:?} and {attribute:?}", first.attribute),
                "each attribute once in a table, and names that differ by more than case",
            )?;
            check(
                first.kind == output.kind && first.threshold.to_bits() == output.threshold.to_bits(),
                "classifiers.outputs",
                || format!("two tables that score {attribute:?} with another kind or threshold"),
                "the same kind and threshold, because the score is the mean of both tables",
            )?;
        }
    }
    Ok(())
}

impl OutputEntry {
    fn check(&self) -> Result<(), WrongValue> {
        let (attribute, threshold) = (&self.attribute, self.threshold);
        check(
            check_attribute_name(attribute).is_ok(),
            "classifiers.outputs.attribute",
            || format!("{attribute:?}"),
            "a name of 1 to 64 bytes without colon, comma, control characters and blanks around it",
        )?;
        check(
            threshold.is_finite(),
            "classifiers.outputs.threshold",
            || threshold.to_string(),
            "a finite number",
        )?;
        let fits = match (self.activation, &self.bins) {
            (None, None) => true,
            (Some(Activation::Sigmoid), None) => self.kind == OutputKind::Probability,
            (Some(Activation::Softmax), None) => self.kind != OutputKind::Value,
            (None | Some(Activation::Softmax), Some(_)) => self.kind == OutputKind::Value,
            (Some(Activation::Sigmoid), Some(_)) => false,
        };
        check(
            fits,
            "classifiers.outputs.activation",
            || {
                format!(
                    "{:?} with bins {:?} and kind {:?}",
                    self.activation, self.bins, self.kind
                )
            },
            "\"sigmoid\" with the kind \"probability\", \"softmax\" with the kind \"probability\" or \"logit\", or bins with the \
             kind \"value\" and \"softmax\" or no activation",
        )?;
        self.check_columns()
    }

    fn check_columns(&self) -> Result<(), WrongValue> {
        let is_distribution = self.bins.is_some() || self.activation == Some(Activation::Softmax);
        check(
            self.columns.is_none() || is_distribution,
            "classifiers.outputs.columns",
            || "columns".to_owned(),
            "none without activation = \"softmax\" or bins; column names the one column to read",
        )?;
        check(
            self.column.is_none() || self.bins.is_none(),
            "classifiers.outputs.column",
            || "column and bins".to_owned(),
            "one of both, because an expected value reads all columns (or those of the key columns)",
        )?;
        if let Some(columns) = &self.columns {
            let mut sorted = columns.clone();
            sorted.sort_unstable();
            sorted.dedup();
            let contains = self.column.is_none_or(|column| columns.contains(&column));
            check(
                columns.len() >= 2 && sorted.len() == columns.len() && contains,
                "classifiers.outputs.columns",
                || format!("{columns:?}"),
                "at least two different columns, with the one of the key column among them",
            )?;
        }
        let is_finite = match &self.bins {
            None => true,
            Some(Bins::Each(values)) => values.iter().all(|value| value.is_finite()),
            Some(Bins::Steps { first, step }) => first.is_finite() && step.is_finite() && *step != 0.0,
        };
        check(
            is_finite,
            "classifiers.outputs.bins",
            || format!("{:?}", self.bins),
            "finite numbers, one for each column, or a first value and a step that is not 0",
        )
    }
}
