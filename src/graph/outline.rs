//! What matters of an ONNX file before it is opened: its files of external weights, and its random nodes.
//!
//! The weights are not copied: the messages here have only the fields that are needed, and the decoder skips all others.

use std::collections::BTreeSet;

use prost::Message;

use crate::graph::proto::StringStringEntryProto;

/// The operators whose output differs from run to run.
pub const RANDOM_OPERATORS: [&str; 6] = [
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Bernoulli",
    "Multinomial",
];

/// The external files and the random nodes of an ONNX file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The files with weights, as the graph names them: relative to its own folder.
    pub external_files: BTreeSet<String>,
    /// The random nodes, each with its operator and its name.
    pub random_nodes: Vec<String>,
    /// Whether there is a graph with outputs. Other bytes can be read as a message too, as one without a graph.
    pub has_graph: bool,
}

impl Outline {
    /// Reads the outline. Bytes that are no ONNX file have an empty one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let mut outline = Self::default();
        let Ok(model) = ModelOutline::decode(bytes) else {
            return outline;
        };
        if let Some(graph) = &model.graph {
            outline.has_graph = !graph.output.is_empty();
            outline.add(graph);
        }
        for function in &model.functions {
            outline.add_nodes(&function.node);
        }
        outline
    }

    fn add(&mut self, graph: &GraphOutline) {
        let sparse = &graph.sparse_initializer;
        let sparse = sparse
            .iter()
            .flat_map(|sparse| sparse.values.iter().chain(&sparse.indices));
        for tensor in graph.initializer.iter().chain(sparse) {
            self.add_tensor(tensor);
        }
        self.add_nodes(&graph.node);
    }

    fn add_nodes(&mut self, nodes: &[NodeOutline]) {
        for node in nodes {
            if node.domain.is_empty() && RANDOM_OPERATORS.contains(&node.op_type.as_str()) {
                self.random_nodes
                    .push(format!("{} {:?}", node.op_type, node.name));
            }
            for attribute in &node.attribute {
                for tensor in attribute.t.iter().chain(&attribute.tensors) {
                    self.add_tensor(tensor);
                }
                for graph in attribute.g.iter().chain(&attribute.graphs) {
                    self.add(graph);
                }
            }
        }
    }

    fn add_tensor(&mut self, tensor: &TensorOutline) {
        if tensor.data_location == 1 {
            let location = tensor.external_data.iter().find(|entry| entry.key == "location");
            self.external_files
                .extend(location.map(|entry| entry.value.clone()));
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct ModelOutline {
    #[prost(message, optional, tag = "7")]
    graph: Option<GraphOutline>,
    #[prost(message, repeated, tag = "25")]
    functions: Vec<FunctionOutline>,
}

#[derive(Clone, PartialEq, Message)]
struct FunctionOutline {
    #[prost(message, repeated, tag = "7")]
    node: Vec<NodeOutline>,
}

#[derive(Clone, PartialEq, Message)]
struct GraphOutline {
    #[prost(message, repeated, tag = "1")]
    node: Vec<NodeOutline>,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<TensorOutline>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Nothing>,
    #[prost(message, repeated, tag = "15")]
    sparse_initializer: Vec<SparseOutline>,
}

/// A message of which only the presence matters.
#[derive(Clone, PartialEq, Message)]
struct Nothing {}

#[derive(Clone, PartialEq, Message)]
struct SparseOutline {
    #[prost(message, optional, tag = "1")]
    values: Option<TensorOutline>,
    #[prost(message, optional, tag = "2")]
    indices: Option<TensorOutline>,
}

#[derive(Clone, PartialEq, Message)]
struct NodeOutline {
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    op_type: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<AttributeOutline>,
    #[prost(string, tag = "7")]
    domain: String,
}

#[derive(Clone, PartialEq, Message)]
struct AttributeOutline {
    #[prost(message, optional, tag = "5")]
    t: Option<TensorOutline>,
    #[prost(message, optional, tag = "6")]
    g: Option<GraphOutline>,
    #[prost(message, repeated, tag = "10")]
    tensors: Vec<TensorOutline>,
    #[prost(message, repeated, tag = "11")]
    graphs: Vec<GraphOutline>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorOutline {
    #[prost(message, repeated, tag = "13")]
    external_data: Vec<StringStringEntryProto>,
    #[prost(int32, tag = "14")]
    data_location: i32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::proto::{StringStringEntryProto, TensorProto};
    use crate::graph::{Axis, GraphBuilder};

    #[test]
    fn an_outline_names_external_files_and_random_nodes() {
        let mut graph = GraphBuilder::new("noisy");
        let input = graph.input("z", &[Axis::batch(), Axis::Fixed(2)]);
        let noise = graph.node("RandomNormalLike", &[&input], vec![]);
        graph.output("image", &noise, &[Axis::batch(), Axis::Fixed(2)]);
        let mut model = graph.finish();
        assert!(Outline::read(&model.to_bytes()).external_files.is_empty());
        let entry = |key: &str, value: &str| StringStringEntryProto {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        model.graph_mut().initializer.push(TensorProto {
            data_location: 1,
            external_data: vec![entry("offset", "0"), entry("location", "synthesis.onnx.data")],
            ..TensorProto::default()
        });
        let outline = Outline::read(&model.to_bytes());
        assert!(outline.has_graph);
        assert_eq!(Vec::from_iter(outline.external_files), ["synthesis.onnx.data"]);
        assert_eq!(outline.random_nodes, ["RandomNormalLike \"RandomNormalLike_1\""]);
    }

    #[test]
    fn bytes_that_are_no_graph_have_an_empty_outline() {
        for bytes in [b"not a graph".as_slice(), b"", b"\x80\x04\x95"] {
            assert_eq!(Outline::read(bytes), Outline::default());
        }
    }
}
