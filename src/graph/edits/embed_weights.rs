//! Moves weights of other files into the graph.

use crate::graph::proto::{GraphProto, TensorProto};
use crate::graph::{GraphError, Model};

/// Copies external weights into the graph. `file` returns the content of a file, by the name that the graph has for it.
///
/// # Errors
/// [`GraphError::ExternalWeights`] if a file is missing, or does not have the bytes that a tensor needs.
pub fn embed_weights<'a>(
    model: &mut Model,
    file: &dyn Fn(&str) -> Option<&'a [u8]>,
) -> Result<(), GraphError> {
    embed(model.graph_mut(), file)
}

fn embed<'a>(graph: &mut GraphProto, file: &dyn Fn(&str) -> Option<&'a [u8]>) -> Result<(), GraphError> {
    for tensor in &mut graph.initializer {
        embed_tensor(tensor, file)?;
    }
    for sparse in &mut graph.sparse_initializer {
        for tensor in sparse.values.iter_mut().chain(&mut sparse.indices) {
            embed_tensor(tensor, file)?;
        }
    }
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        for tensor in attribute.t.iter_mut().chain(&mut attribute.tensors) {
            embed_tensor(tensor, file)?;
        }
        for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
            embed(graph, file)?;
        }
    }
    Ok(())
}

fn embed_tensor<'a>(
    tensor: &mut TensorProto,
    file: &dyn Fn(&str) -> Option<&'a [u8]>,
) -> Result<(), GraphError> {
    if tensor.data_location != 1 {
        return Ok(());
    }
    let entry = |key: &str| {
        let found = tensor.external_data.iter().find(|entry| entry.key == key);
        found.map(|entry| entry.value.as_str())
    };
    let location = entry("location").unwrap_or_default();
    let failed = |found: String| GraphError::ExternalWeights {
        tensor: tensor.name.clone(),
        location: location.to_owned(),
        found,
    };
    let bytes = file(location).ok_or_else(|| failed("no such file".to_owned()))?;
    let number = |key: &str, default: usize| match entry(key) {
        Some(text) => text.parse().map_err(|_| failed(format!("the {key} {text:?}"))),
        None => Ok(default),
    };
    let offset: usize = number("offset", 0)?;
    let length = number("length", bytes.len().saturating_sub(offset))?;
    let end = offset.checked_add(length).filter(|&end| end <= bytes.len());
    let end = end.ok_or_else(|| failed(format!("{} bytes", bytes.len())))?;
    tensor.raw_data = bytes[offset..end].to_vec();
    tensor.data_location = 0;
    tensor.external_data.clear();
    Ok(())
}
