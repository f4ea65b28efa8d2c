//! Adds nodes to a finished graph, with names that are not taken.

use std::collections::BTreeSet;

use ndarray::ArrayD;

use crate::graph::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use crate::graph::{Model, float_tensor, integer_tensor};

/// Adds nodes and constants to a graph. Tensors are known by their names.
#[derive(Debug)]
pub struct Editor<'a> {
    graph: &'a mut GraphProto,
    taken: BTreeSet<String>,
    /// New nodes, until an end puts them into the graph.
    nodes: Vec<NodeProto>,
}

impl<'a> Editor<'a> {
    /// An editor of the model's graph.
    #[must_use]
    pub fn new(model: &'a mut Model) -> Self {
        let graph = model.graph_mut();
        let mut taken: BTreeSet<_> = graph
            .initializer
            .iter()
            .map(|tensor| tensor.name.clone())
            .collect();
        taken.extend(graph.input.iter().map(|input| input.name.clone()));
        taken.extend(graph.node.iter().flat_map(|node| node.output.iter().cloned()));
        Self {
            graph,
            taken,
            nodes: Vec::new(),
        }
    }

    /// Adds an f32 constant.
    pub fn constant(&mut self, values: &ArrayD<f32>) -> String {
        let name = self.fresh("constant");
        self.graph.initializer.push(float_tensor(&name, values.view()));
        name
    }

    /// Adds an i64 constant of one axis.
    pub fn integers(&mut self, values: &[i64]) -> String {
        let name = self.fresh("integers");
        self.graph.initializer.push(integer_tensor(&name, values));
        name
    }

    /// Adds an i64 constant without axes.
    pub fn index(&mut self, value: i64) -> String {
        let name = self.fresh("index");
        let tensor = integer_tensor(&name, &[value]);
        self.graph.initializer.push(TensorProto {
            dims: Vec::new(),
            ..tensor
        });
        name
    }

    /// Adds a node with one output, and returns the output's name.
    pub fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = self.fresh(operator);
        self.node_to(&output, operator, inputs, attributes);
        output
    }

    /// Adds a node whose output has this name, which no other tensor may have.
    pub fn node_to(
        &mut self,
        output: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) {
        self.taken.insert(output.to_owned());
        // Without a name, because another node may have the output's.
        self.nodes.push(NodeProto {
            op_type: operator.to_owned(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes,
            ..NodeProto::default()
        });
    }

    /// Gives a tensor another name, wherever it is used. A tensor that has that name already gets a new one.
    pub fn rename(&mut self, from: &str, to: &str) {
        if from != to {
            self.set_aside(to);
            self.taken.insert(to.to_owned());
            rename(self.graph, from, to);
        }
    }

    /// Takes an input away, so that a node can make the tensor. Returns the tensor's new name.
    pub fn open_input(&mut self, name: &str) -> String {
        self.graph.input.retain(|input| input.name != name);
        self.set_aside(name)
    }

    /// Adds an input before all others. A tensor that has its name already gets a new one.
    pub fn input(&mut self, value: ValueInfoProto) {
        self.set_aside(&value.name);
        self.taken.insert(value.name.clone());
        self.graph.input.insert(0, value);
    }

    /// Takes all outputs away, and frees the name `wanted` for a new one. Returns the name of the tensor `from` afterwards.
    pub fn open_output(&mut self, from: &str, wanted: &str) -> String {
        self.graph.output.clear();
        let aside = self.set_aside(wanted);
        if from == wanted { aside } else { from.to_owned() }
    }

    /// Makes the tensor `from` an output.
    pub fn output(&mut self, from: &str, value: ValueInfoProto) {
        self.node_to(&value.name, "Identity", &[from], vec![]);
        self.graph.output.push(value);
    }

    /// Gives the tensor `name` a new name, which is returned, so that `name` is free.
    fn set_aside(&mut self, name: &str) -> String {
        let aside = self.fresh(name);
        rename(self.graph, name, &aside);
        self.taken.remove(name);
        aside
    }

    /// Puts the new nodes before all others.
    pub fn finish_before(self) {
        self.graph.node.splice(0..0, self.nodes);
    }

    /// Puts the new nodes before the node with this index.
    pub fn finish_at(self, node: usize) {
        self.graph.node.splice(node..node, self.nodes);
    }

    /// Puts the new nodes behind all others.
    pub fn finish_behind(self) {
        self.graph.node.extend(self.nodes);
    }

    fn fresh(&mut self, kind: &str) -> String {
        let mut number = self.taken.len();
        loop {
            let name = format!("{kind}.{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
            number += 1;
        }
    }
}

/// Gives a tensor another name in a graph and in the graphs of its nodes.
fn rename(graph: &mut GraphProto, from: &str, to: &str) {
    let values = graph
        .input
        .iter_mut()
        .chain(&mut graph.output)
        .chain(&mut graph.value_info);
    let names = values.map(|value| &mut value.name);
    for name in names.chain(graph.initializer.iter_mut().map(|tensor| &mut tensor.name)) {
        rename_one(name, from, to);
    }
    rename_nodes(&mut graph.node, from, to);
}

/// Gives a tensor another name in nodes, and in the graphs inside them, which see the values around them.
pub(crate) fn rename_nodes(nodes: &mut [NodeProto], from: &str, to: &str) {
    for node in nodes {
        for name in node.input.iter_mut().chain(&mut node.output) {
            rename_one(name, from, to);
        }
        for attribute in &mut node.attribute {
            for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
                rename(graph, from, to);
            }
        }
    }
}

fn rename_one(name: &mut String, from: &str, to: &str) {
    if name == from {
        to.clone_into(name);
    }
}
