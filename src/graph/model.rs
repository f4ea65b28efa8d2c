//! An ONNX model in memory: read from bytes, written to bytes.

use prost::Message;

use crate::graph::GraphError;
use crate::graph::proto::{FunctionProto, GraphProto, ModelProto};

/// An ONNX model. It always has a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    proto: ModelProto,
}

impl Model {
    /// Reads a model.
    ///
    /// # Errors
    /// [`GraphError`] if the bytes are not an ONNX file, or have no graph.
    pub fn read(bytes: &[u8]) -> Result<Self, GraphError> {
        let proto = ModelProto::decode(bytes).map_err(|error| GraphError::NotOnnx {
            reason: error.to_string(),
        })?;
        Self::new(proto)
    }

    /// The model of a message.
    ///
    /// # Errors
    /// [`GraphError`] if the message has no graph.
    pub fn new(proto: ModelProto) -> Result<Self, GraphError> {
        if proto.graph.is_none() {
            return Err(GraphError::NotOnnx {
                reason: "it has no graph".to_owned(),
            });
        }
        Ok(Self { proto })
    }

    /// The content of the model's file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.proto.encode_to_vec()
    }

    /// The message.
    #[must_use]
    pub fn proto(&self) -> &ModelProto {
        &self.proto
    }

    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &GraphProto {
        self.proto.graph.as_ref().expect("a model has a graph")
    }

    /// A model with the same versions and functions, and an empty graph.
    #[must_use]
    pub fn clone_without_graph(&self) -> Self {
        Self {
            proto: ModelProto {
                graph: Some(GraphProto::default()),
                functions: self.proto.functions.clone(),
                opset_import: self.proto.opset_import.clone(),
                producer_name: self.proto.producer_name.clone(),
                producer_version: self.proto.producer_version.clone(),
                ir_version: self.proto.ir_version,
                ..ModelProto::default()
            },
        }
    }

    /// The functions that nodes of the graph call, to edit them.
    pub fn functions_mut(&mut self) -> &mut [FunctionProto] {
        &mut self.proto.functions
    }

    /// Declares another version of the file format.
    pub fn set_ir_version(&mut self, version: i64) {
        self.proto.ir_version = version;
    }

    /// The graph, to edit it.
    pub fn graph_mut(&mut self) -> &mut GraphProto {
        self.proto.graph.as_mut().expect("a model has a graph")
    }

    /// The version of the standard operators that the graph uses.
    #[must_use]
    pub fn operator_set(&self) -> i64 {
        let standard = |domain: &str| matches!(domain, "" | "ai.onnx");
        let mut sets = self.proto.opset_import.iter();
        sets.find(|set| standard(&set.domain))
            .map_or(1, |set| set.version)
    }
}
