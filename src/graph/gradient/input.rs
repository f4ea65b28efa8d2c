//! The input of a graph.

use crate::graph::proto::DataType;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Model, edits, signed};

/// A name, and the lengths of its axes. `None` for an open length.
type NamedLengths = (String, Vec<Option<Length>>);

/// The name of the input that is no constant, and its lengths. `None` for an open length.
pub(crate) fn sole_input(model: &Model) -> Result<NamedLengths, GraphError> {
    Ok(float_inputs(model, 1)?.swap_remove(0))
}

/// The name of the input that is no constant, and its shape with an open batch.
pub(crate) fn batch_input(model: &Model) -> Result<(String, Vec<Length>), GraphError> {
    Ok(batch_inputs(model, 1)?.swap_remove(0))
}

/// The names of the inputs that are no constants, so many, and their shapes with an open batch.
pub(crate) fn batch_inputs(model: &Model, count: usize) -> Result<Vec<(String, Vec<Length>)>, GraphError> {
    let inputs = float_inputs(model, count)?.into_iter();
    let with_batch = |(name, lengths): NamedLengths| {
        let rest = lengths.iter().skip(1).copied().collect::<Option<Vec<_>>>();
        match rest.filter(|_| !lengths.is_empty()) {
            Some(rest) => Ok((name, [&[Length::BATCH], rest.as_slice()].concat())),
            None => Err(GraphError::Tensor {
                tensor: format!("input {name:?}"),
                found: describe(&lengths),
                expected: "[batch, …] with fixed axes after the batch".to_owned(),
            }),
        }
    };
    inputs.map(with_batch).collect()
}

/// The error for another number of inputs.
pub(crate) fn input_count(model: &Model, expected: usize) -> GraphError {
    let names: Vec<_> = edits::inputs(model).into_iter().map(|input| input.name).collect();
    GraphError::Tensor {
        tensor: "the inputs".to_owned(),
        found: format!("{names:?}"),
        expected: match expected {
            1 => "one input without a default".to_owned(),
            count => format!("{count} inputs without a default"),
        },
    }
}

fn float_inputs(model: &Model, count: usize) -> Result<Vec<NamedLengths>, GraphError> {
    let inputs = edits::inputs(model);
    if inputs.len() != count {
        return Err(input_count(model, count));
    }
    let read = |input: edits::Port| {
        if input.element != DataType::Float {
            return Err(GraphError::Tensor {
                tensor: format!("input {:?}", input.name),
                found: format!("{:?}", input.element),
                expected: "a float32 tensor".to_owned(),
            });
        }
        let axes = input.axes.unwrap_or_default().into_iter();
        let lengths = axes.map(|axis| axis.map(|length| Length::fixed(signed(length))));
        Ok((input.name, lengths.collect()))
    };
    inputs.into_iter().map(read).collect()
}

/// A shape in errors.
pub(crate) fn describe(lengths: &[Option<Length>]) -> String {
    let lengths = lengths
        .iter()
        .map(|length| length.map_or_else(|| "open".to_owned(), |length| length.to_string()));
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
