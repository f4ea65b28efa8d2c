//! The finished graph of a tape.

use std::collections::HashSet;

use crate::graph::proto::{
    Dimension, DimensionValue, GraphProto, NodeProto, TensorShapeProto, ValueInfoProto,
};
use crate::graph::shapes::{Length, Tensor};
use crate::graph::tensors::declared_value;

/// Keeps the nodes and the constants that the outputs need.
pub(crate) fn prune(graph: &mut GraphProto) {
    let mut needed: HashSet<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    let mut kept: Vec<NodeProto> = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node).into_iter().rev() {
        if node.output.iter().any(|name| needed.contains(name)) {
            needed.extend(node.input.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    graph.node = kept;
    graph
        .initializer
        .retain(|constant| needed.contains(&constant.name));
}

/// The declaration of a tensor. `None` if an axis is a multiple of the batch, which has no name.
pub(crate) fn declaration(name: &str, tensor: &Tensor) -> Option<ValueInfoProto> {
    let dimension = |length: &Length| {
        let value = match (length.of_batch, length.factor) {
            (false, number) => DimensionValue::Length(number),
            (true, 1) => DimensionValue::Name("batch".to_owned()),
            (true, _) => return None,
        };
        Some(Dimension {
            value: Some(value),
            ..Dimension::default()
        })
    };
    let shape = TensorShapeProto {
        dim: tensor.shape.iter().map(dimension).collect::<Option<_>>()?,
    };
    Some(declared_value(name, tensor.element, Some(shape)))
}
