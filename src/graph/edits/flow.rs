//! How values flow through a graph: from inputs, through tensors that all paths share, to an output.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Model;
use crate::graph::proto::{GraphProto, NodeProto};

/// Operators whose output depends on the shape of their input, not on its values.
const SHAPE_ONLY: [&str; 2] = ["Shape", "Size"];
/// Operators that only arrange the elements of their first input.
const ARRANGING: [&str; 13] = [
    "Cast",
    "Concat",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
];
/// Operators that scale or shift their input, if the other operand is a constant.
const SCALING: [&str; 4] = ["Add", "Sub", "Mul", "Div"];
/// Operators that multiply their input by weights.
const AFFINE: [&str; 3] = ["Conv", "Gemm", "MatMul"];

/// The flow of values from some inputs of a graph to one output.
#[derive(Debug)]
pub struct Flow<'a> {
    graph: &'a GraphProto,
    sources: Vec<&'a str>,
    output: &'a str,
    /// The tensors whose values depend on the sources.
    dependent: BTreeSet<&'a str>,
    /// The nodes, by index, that values from the sources pass on their way to the output.
    on_path: BTreeSet<usize>,
}

impl<'a> Flow<'a> {
    /// The flow from the inputs `sources` to `output`.
    #[must_use]
    pub fn new(model: &'a Model, sources: &[&'a str], output: &'a str) -> Self {
        let graph = model.graph();
        let dependent = dependents(graph, sources);
        let mut needed = BTreeSet::from([output]);
        let mut on_path = BTreeSet::new();
        for (index, node) in graph.node.iter().enumerate().rev() {
            if node
                .output
                .iter()
                .any(|made| needed.contains(made.as_str()) && dependent.contains(made.as_str()))
            {
                on_path.insert(index);
                needed.extend(used(node));
            }
        }
        Self {
            graph,
            sources: sources.to_vec(),
            output,
            dependent,
            on_path,
        }
    }

    /// The tensors that every path from the sources to the output goes through, in the order of the graph.
    #[must_use]
    pub fn cuts(&self) -> Vec<&'a str> {
        let mut last_use = BTreeMap::from([(self.output, usize::MAX)]);
        for (index, node) in self.nodes() {
            for tensor in used(node)
                .into_iter()
                .filter(|tensor| self.dependent.contains(tensor))
            {
                let last = last_use.entry(tensor).or_insert(index);
                *last = (*last).max(index);
            }
        }
        let is_used = |tensor: &&str| last_use.contains_key(tensor);
        let mut live: BTreeSet<&str> = self.sources.iter().copied().filter(is_used).collect();
        let mut cuts = Vec::new();
        for (index, node) in self.nodes() {
            live.retain(|tensor| last_use[tensor] > index);
            let made = node.output.iter().map(String::as_str).filter(is_used);
            live.extend(made.filter(|made| self.dependent.contains(made)));
            if let (1, Some(cut)) = (live.len(), live.first())
                && cuts.last() != Some(cut)
            {
                cuts.push(cut);
            }
        }
        cuts
    }

    /// How many affine layers take a tensor, arranged, scaled or shifted at most.
    #[must_use]
    pub fn affine_layers_after(&self, tensor: &str) -> usize {
        let mut arranged = BTreeSet::from([tensor]);
        let mut layers = 0;
        for (_, node) in self.nodes() {
            if !node.input.iter().any(|input| arranged.contains(input.as_str())) {
                continue;
            }
            let others = node
                .input
                .iter()
                .filter(|input| self.dependent.contains(input.as_str()));
            let operator = node.op_type.as_str();
            if AFFINE.contains(&operator) {
                layers += 1;
            } else if ARRANGING.contains(&operator) || (SCALING.contains(&operator) && others.count() == 1) {
                arranged.extend(node.output.iter().map(String::as_str));
            }
        }
        layers
    }

    /// Whether there is an affine layer between the sources and a tensor.
    #[must_use]
    pub fn has_affine_layer_before(&self, tensor: &str) -> bool {
        let mut needed = BTreeSet::from([tensor]);
        for (_, node) in self.nodes().rev() {
            if node.output.iter().any(|made| needed.contains(made.as_str())) {
                if AFFINE.contains(&node.op_type.as_str()) {
                    return true;
                }
                needed.extend(used(node));
            }
        }
        false
    }

    /// The outputs of nodes that read the shape of the sources, or of tensors between them and the cut.
    #[must_use]
    pub fn shapes_before(&self, cut: &str) -> Vec<&'a str> {
        let behind = dependents(self.graph, &[cut]);
        let nodes = self
            .graph
            .node
            .iter()
            .filter(|node| SHAPE_ONLY.contains(&node.op_type.as_str()));
        let before = nodes.filter(|node| {
            let read = node.input.first().map_or("", String::as_str);
            self.dependent.contains(read) && !behind.contains(read)
        });
        before
            .flat_map(|node| node.output.iter().map(String::as_str))
            .collect()
    }

    fn nodes(&self) -> impl DoubleEndedIterator<Item = (usize, &'a NodeProto)> {
        self.on_path.iter().map(|&index| (index, &self.graph.node[index]))
    }
}

/// The tensors whose values depend on the `sources`, with the sources.
fn dependents<'a>(graph: &'a GraphProto, sources: &[&'a str]) -> BTreeSet<&'a str> {
    let mut dependent: BTreeSet<&str> = sources.iter().copied().collect();
    for node in &graph.node {
        if !SHAPE_ONLY.contains(&node.op_type.as_str())
            && used(node).iter().any(|name| dependent.contains(name))
        {
            dependent.extend(node.output.iter().map(String::as_str));
        }
    }
    dependent
}

/// The tensors that a node uses, those of the graphs in its attributes included.
#[must_use]
pub fn used(node: &NodeProto) -> Vec<&str> {
    let mut names: Vec<_> = node.input.iter().map(String::as_str).collect();
    for attribute in &node.attribute {
        for graph in attribute.g.iter().chain(&attribute.graphs) {
            names.extend(graph.node.iter().flat_map(used));
            names.extend(graph.output.iter().map(|output| output.name.as_str()));
        }
    }
    names
}
