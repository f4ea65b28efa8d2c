//! Builds an ONNX graph, node by node.

use ndarray::{ArrayBase, ArrayD, Data, Dimension};

use crate::graph::Model;
use crate::graph::proto::{
    AttributeProto, AttributeType, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
};
use crate::graph::tensors::{Axis, float_tensor, float_value, integer_tensor};

/// The version of the standard operators that built graphs use.
pub const OPERATOR_SET: i64 = 18;
/// The version of the file format that belongs to [`OPERATOR_SET`].
const IR_VERSION: i64 = 8;

/// A value in a graph under construction: an input, a constant, or the output of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value(String);

impl Value {
    /// The value of this name.
    pub(crate) fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Its name in the graph.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// A graph under construction. `graph::operators` has a function for each operator.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: GraphProto,
    values: usize,
}

impl GraphBuilder {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            graph: GraphProto {
                name: name.to_owned(),
                ..GraphProto::default()
            },
            values: 0,
        }
    }

    /// Adds an f32 input.
    pub fn input(&mut self, name: &str, axes: &[Axis]) -> Value {
        self.graph.input.push(float_value(name, axes));
        Value(name.to_owned())
    }

    /// Adds an f32 input that has the value `default` in runs that do not give it.
    pub fn optional_input(&mut self, name: &str, axes: &[Axis], default: &ArrayD<f32>) -> Value {
        self.graph.initializer.push(float_tensor(name, default.view()));
        self.input(name, axes)
    }

    /// Adds an f32 constant.
    pub fn constant<S: Data<Elem = f32>, D: Dimension>(&mut self, values: &ArrayBase<S, D>) -> Value {
        let name = self.next_name("constant");
        let values = values.view().into_dyn();
        self.graph.initializer.push(float_tensor(&name, values));
        Value(name)
    }

    /// Adds an i64 constant of one axis.
    pub fn integers(&mut self, values: &[i64]) -> Value {
        let name = self.next_name("integers");
        self.graph.initializer.push(integer_tensor(&name, values));
        Value(name)
    }

    /// Adds a node of a standard operator with one output.
    pub fn node(&mut self, operator: &str, inputs: &[&Value], attributes: Vec<AttributeProto>) -> Value {
        let output = self.next_name(operator);
        self.graph.node.push(NodeProto {
            name: output.clone(),
            op_type: operator.to_owned(),
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![output.clone()],
            attribute: attributes,
            ..NodeProto::default()
        });
        Value(output)
    }

    /// Makes a value an output of the graph.
    pub fn output(&mut self, name: &str, value: &Value, axes: &[Axis]) {
        self.graph.node.push(NodeProto {
            name: name.to_owned(),
            op_type: "Identity".to_owned(),
            input: vec![value.0.clone()],
            output: vec![name.to_owned()],
            ..NodeProto::default()
        });
        self.graph.output.push(float_value(name, axes));
    }

    /// The finished model.
    #[must_use]
    pub fn finish(self) -> Model {
        let proto = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "faceplane".to_owned(),
            graph: Some(self.graph),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPERATOR_SET,
            }],
            ..ModelProto::default()
        };
        Model::new(proto).expect("the message has a graph")
    }

    fn next_name(&mut self, kind: &str) -> String {
        self.values += 1;
        format!("{kind}_{}", self.values)
    }
}

/// An attribute of a node with an integer.
#[must_use]
pub fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int.into(),
        i: value,
        ..AttributeProto::default()
    }
}

/// An attribute of a node with integers.
#[must_use]
pub fn integers(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints.into(),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}

/// An attribute of a node with a number.
#[must_use]
pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Float.into(),
        f: value,
        ..AttributeProto::default()
    }
}

/// An attribute of a node with text.
#[must_use]
pub fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::String.into(),
        s: value.as_bytes().to_vec(),
        ..AttributeProto::default()
    }
}
