//! Cuts a part out of a graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Model;
use crate::graph::edits::flow::used;
use crate::graph::proto::ValueInfoProto;

/// The part of a graph that makes `outputs` from `inputs`; both may be tensors between nodes. `None` if it needs another input.
#[must_use]
pub fn extract(model: &Model, inputs: &[ValueInfoProto], outputs: &[ValueInfoProto]) -> Option<Model> {
    let graph = model.graph();
    let given: BTreeSet<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let constants: BTreeSet<&str> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.as_str())
        .chain(
            graph
                .sparse_initializer
                .iter()
                .filter_map(|sparse| Some(sparse.values.as_ref()?.name.as_str())),
        )
        .collect();
    let mut makers = BTreeMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        makers.extend(node.output.iter().map(|output| (output.as_str(), index)));
    }
    let required: BTreeSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    let (mut nodes, mut needed) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    while let Some(tensor) = open.pop() {
        if tensor.is_empty() || given.contains(tensor) || !needed.insert(tensor) {
            continue;
        }
        match makers.get(tensor) {
            Some(&maker) if nodes.insert(maker) => open.extend(used(&graph.node[maker])),
            None if !constants.contains(tensor) && required.contains(tensor) => return None,
            // A constant, a tensor of a graph in a node's attribute, or the output of a node that is taken already.
            Some(_) | None => {}
        }
    }
    let mut part = model.clone_without_graph();
    let extracted = part.graph_mut();
    extracted.name.clone_from(&graph.name);
    extracted.node = nodes.into_iter().map(|index| graph.node[index].clone()).collect();
    let keeps = |name: &str| needed.contains(name) && !given.contains(name);
    extracted.initializer = graph
        .initializer
        .iter()
        .filter(|tensor| keeps(&tensor.name))
        .cloned()
        .collect();
    extracted.sparse_initializer.clone_from(&graph.sparse_initializer);
    let optional = graph.input.iter().filter(|input| keeps(&input.name));
    extracted.input = inputs.iter().chain(optional).cloned().collect();
    extracted.output = outputs.to_vec();
    Some(part)
}
