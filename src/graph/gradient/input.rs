//! The input of a graph.

use crate::graph::proto::{DataType, DimensionValue, TypeValue};
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Model};

/// The name of the input that is no constant, and its lengths. `None` for an open length.
pub(crate) fn sole_input(model: &Model) -> Result<(String, Vec<Option<Length>>), GraphError> {
    let graph = model.graph();
    let is_open = |name: &str| !graph.initializer.iter().any(|constant| constant.name == name);
    let inputs: Vec<_> = graph.input.iter().filter(|input| is_open(&input.name)).collect();
    let [input] = inputs.as_slice() else {
        return Err(GraphError::Tensor {
            tensor: "the inputs".to_owned(),
            found: format!("{:?}", inputs.iter().map(|input| &input.name).collect::<Vec<_>>()),
            expected: "one input without a default".to_owned(),
        });
    };
    let tensor = match input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) if tensor.elem_type == i32::from(DataType::Float) => tensor,
        _ => {
            return Err(GraphError::Tensor {
                tensor: format!("input {:?}", input.name),
                found: "another type".to_owned(),
                expected: "a float32 tensor".to_owned(),
            });
        }
    };
    let axes = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let length = |value: &Option<DimensionValue>| match value {
        Some(DimensionValue::Length(length)) => Some(Length::fixed(*length)),
        _ => None,
    };
    Ok((
        input.name.clone(),
        axes.iter().map(|axis| length(&axis.value)).collect(),
    ))
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
