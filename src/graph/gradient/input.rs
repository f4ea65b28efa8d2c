//! The input of a graph.

use crate::graph::proto::DataType;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Model, edits, signed};

/// The name of the input that is no constant, and its lengths. `None` for an open length.
pub(crate) fn sole_input(model: &Model) -> Result<(String, Vec<Option<Length>>), GraphError> {
    let mut inputs = edits::inputs(model);
    if inputs.len() != 1 {
        return Err(GraphError::Tensor {
            tensor: "the inputs".to_owned(),
            found: format!("{:?}", inputs.iter().map(|input| &input.name).collect::<Vec<_>>()),
            expected: "one input without a default".to_owned(),
        });
    }
    let input = inputs.remove(0);
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
}

/// The name of the input that is no constant, and its shape with an open batch.
pub(crate) fn batch_input(model: &Model) -> Result<(String, Vec<Length>), GraphError> {
    let (name, lengths) = sole_input(model)?;
    let rest = lengths.iter().skip(1).copied().collect::<Option<Vec<_>>>();
    match rest.filter(|_| !lengths.is_empty()) {
        Some(rest) => Ok((name, [&[Length::BATCH], rest.as_slice()].concat())),
        None => Err(GraphError::Tensor {
            tensor: format!("input {name:?}"),
            found: describe(&lengths),
            expected: "[batch, …] with fixed axes after the batch".to_owned(),
        }),
    }
}

/// A shape in errors.
pub(crate) fn describe(lengths: &[Option<Length>]) -> String {
    let lengths = lengths
        .iter()
        .map(|length| length.map_or_else(|| "open".to_owned(), |length| length.to_string()));
    format!("[{}]", lengths.collect::<Vec<_>>().join(", "))
}
