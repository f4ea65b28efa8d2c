//! A graph that grows while it is differentiated, with the shape of every tensor.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use ndarray::{ArrayD, IxDyn};
use prost::Message;

use crate::graph::gradient::finish::{declaration, prune};
use crate::graph::gradient::fold::fold;
use crate::graph::gradient::upgrade::{Upgraded, upgrade};
use crate::graph::proto::{
    AttributeProto, DataType, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
};
use crate::graph::shapes::{Length, Shapes, Tensor, broadcast};
use crate::graph::tensors::{float_tensor, integer_tensor};
use crate::graph::{GraphError, Model, OPERATOR_SET, Value};

/// The version of the file format, which all operator sets up to 24 may have.
const IR_VERSION: i64 = 10;

/// The nodes of a graph, in the order in which they run. Equal nodes are one node, and operators on constants are computed.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    graph: GraphProto,
    shapes: Shapes,
    /// The position of each constant.
    constants: HashMap<String, usize>,
    /// The outputs of each node, by what the node computes.
    computed: HashMap<Vec<u8>, Vec<Value>>,
    /// Constants by a hash of their content.
    stored: HashMap<u64, Vec<Value>>,
    version: i64,
    names: usize,
}

impl Tape {
    /// Declares an f32 input.
    pub(crate) fn input(&mut self, name: &str, shape: Vec<Length>) -> Value {
        self.shapes.insert(name, Tensor::new(DataType::Float, shape));
        Value::named(name)
    }

    /// The nodes so far.
    pub(crate) fn nodes(&self) -> &[NodeProto] {
        &self.graph.node
    }

    /// The tensor of a value.
    pub(crate) fn tensor(&self, value: &Value) -> &Tensor {
        self.shapes
            .get(value.name())
            .expect("every value of a tape has a shape")
    }

    /// The shape of a value.
    pub(crate) fn shape(&self, value: &Value) -> &[Length] {
        &self.tensor(value).shape
    }

    /// The elements of a value, if it is an f32 constant.
    pub(crate) fn constant_of(&self, value: &Value) -> Option<ArrayD<f32>> {
        let tensor = &self.graph.initializer[*self.constants.get(value.name())?];
        tensor.floats()
    }

    /// The number of a constant of one element.
    pub(crate) fn number_of(&self, value: &Value) -> Option<f64> {
        match self.tensor(value).floats.as_deref() {
            Some(&[number]) => Some(f64::from(number)),
            _ => None,
        }
    }

    /// Whether a value is a constant.
    pub(crate) fn is_constant(&self, value: &Value) -> bool {
        self.constants.contains_key(value.name())
    }

    /// Adds an f32 constant.
    pub(crate) fn constant(&mut self, values: &ArrayD<f32>) -> Value {
        self.add_constant(float_tensor("", values.view()))
    }

    /// Adds an f32 constant of one element and no axes.
    #[expect(clippy::cast_possible_truncation, reason = "graphs compute in f32")]
    pub(crate) fn number(&mut self, number: f64) -> Value {
        self.constant(&ArrayD::from_elem(IxDyn(&[]), number as f32))
    }

    /// Adds an i64 constant of one axis.
    pub(crate) fn integers(&mut self, values: &[i64]) -> Value {
        self.add_constant(integer_tensor("", values))
    }

    /// Adds a node with one output.
    pub(crate) fn node(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Result<Value, GraphError> {
        let node = NodeProto {
            op_type: operator.to_owned(),
            input: inputs.iter().map(|value| value.name().to_owned()).collect(),
            output: vec![String::new()],
            attribute: attributes,
            ..NodeProto::default()
        };
        Ok(self.add(node)?.swap_remove(0))
    }

    /// Adds what a graph computes of its inputs `bound`, as far as its `outputs` need it. Its other inputs must be constants.
    pub(crate) fn append(
        &mut self,
        model: &Model,
        bound: &[(&str, &Value)],
        outputs: &[&str],
    ) -> Result<Vec<Value>, GraphError> {
        let graph = model.graph();
        let version = model.operator_set();
        self.version = self.version.max(version).max(OPERATOR_SET);
        let mut values: HashMap<&str, Value> =
            bound.iter().map(|&(name, value)| (name, value.clone())).collect();
        let needed = needed_nodes(graph, outputs);
        for constant in &graph.initializer {
            if !values.contains_key(constant.name.as_str()) && needed.tensors.contains(constant.name.as_str())
            {
                let value = self.add_constant(constant.clone());
                values.insert(&constant.name, value);
            }
        }
        for index in needed.nodes {
            let node = &graph.node[index];
            let Upgraded {
                node: mut copy,
                constants,
            } = upgrade(node, version)?;
            for name in &mut copy.input {
                if let Some(value) = values.get(name.as_str()) {
                    value.name().clone_into(name);
                }
            }
            for (position, constant) in constants {
                let value = self.add_constant(constant);
                if copy.input.len() <= position {
                    copy.input.resize(position + 1, String::new());
                }
                value.name().clone_into(&mut copy.input[position]);
            }
            let made = self.add(copy)?;
            values.extend(node.output.iter().map(String::as_str).zip(made));
        }
        outputs
            .iter()
            .map(|name| {
                values.get(name).cloned().ok_or_else(|| GraphError::NoTensor {
                    name: (*name).to_owned(),
                })
            })
            .collect()
    }

    /// Adds a node, unless what it computes is known already.
    fn add(&mut self, mut node: NodeProto) -> Result<Vec<Value>, GraphError> {
        let outputs = node.output.len();
        if node.op_type == "Constant"
            && let Some(tensor) = node.attribute("value").and_then(|value| value.t.clone())
        {
            return Ok(vec![self.add_constant(tensor)]);
        }
        if let Some(same) = self.same_value(&node) {
            return Ok(vec![same]);
        }
        let key = NodeProto {
            name: String::new(),
            output: vec![],
            doc_string: String::new(),
            metadata_props: vec![],
            ..node.clone()
        }
        .encode_to_vec();
        if let Some(known) = self.computed.get(&key).filter(|known| known.len() == outputs) {
            return Ok(known.clone());
        }
        let original = std::mem::take(&mut node.name);
        let names: Vec<_> = (0..outputs).map(|_| self.next_name(&node.op_type)).collect();
        node.output.clone_from(&names);
        node.name = if original.is_empty() {
            names[0].clone()
        } else {
            original
        };
        self.shapes.infer(&node)?;
        let values = if let Some(value) = self.computed_constant(&node) {
            vec![value]
        } else {
            node.name.clone_from(&names[0]);
            self.graph.node.push(node);
            names.iter().map(|name| Value::named(name)).collect()
        };
        self.computed.insert(key, values.clone());
        Ok(values)
    }

    /// The input that a node returns unchanged, if it does: x + 0, x · 1.
    fn same_value(&self, node: &NodeProto) -> Option<Value> {
        let first = Value::named(node.input_name(0)?);
        let neutral = match node.op_type.as_str() {
            "Identity" => return Some(first),
            "Cast" => {
                let element = i64::from(i32::from(self.shapes.get(first.name())?.element));
                return (node.integer("to") == Some(element)).then_some(first);
            }
            "Add" => 0.0_f32,
            "Mul" => 1.0,
            _ => return None,
        };
        let second = Value::named(node.input_name(1)?);
        let is_neutral = |one: &Value, other: &Value| {
            let shape = broadcast(self.shape(one), self.shape(other));
            shape.as_deref() == Some(self.shape(one)) && self.is_filled(other, neutral)
        };
        if is_neutral(&first, &second) {
            Some(first)
        } else if is_neutral(&second, &first) {
            Some(second)
        } else {
            None
        }
    }

    /// Whether a value is an f32 constant, and all its elements are this number.
    fn is_filled(&self, value: &Value, number: f32) -> bool {
        let constant = self.constants.get(value.name());
        constant.is_some_and(|&index| {
            let constant = &self.graph.initializer[index];
            constant.data_type == i32::from(DataType::Float)
                && !constant.raw_data.is_empty()
                && constant
                    .raw_data
                    .chunks(4)
                    .all(|bytes| bytes == number.to_le_bytes())
        })
    }

    /// The constant that a node computes, if all that it reads is known.
    fn computed_constant(&mut self, node: &NodeProto) -> Option<Value> {
        let [output] = node.output.as_slice() else {
            return None;
        };
        let tensor = self.shapes.get(output)?.clone();
        if let (Some(integers), DataType::Int64) = (&tensor.integers, tensor.element) {
            let numbers = integers
                .iter()
                .map(|length| length.number())
                .collect::<Option<Vec<_>>>()?;
            let mut constant = integer_tensor("", &numbers);
            constant.dims = tensor.shape.iter().map(|length| length.factor).collect();
            return Some(self.add_constant(constant));
        }
        let known = |name: &String| name.is_empty() || self.constants.contains_key(name);
        if tensor.element != DataType::Float || !node.input.iter().all(known) {
            return None;
        }
        let constant = |name: &String| {
            self.constants
                .get(name)
                .map(|&index| &self.graph.initializer[index])
        };
        let floats: Vec<_> = node.input.iter().map(|name| constant(name)?.floats()).collect();
        let integers: Vec<_> = node
            .input
            .iter()
            .map(|name| constant(name)?.whole_numbers())
            .collect();
        let values = fold(node, &floats, &integers, &tensor)?;
        Some(self.constant(&values))
    }

    fn add_constant(&mut self, mut constant: TensorProto) -> Value {
        constant.name = String::new();
        let mut hasher = DefaultHasher::new();
        (&constant.dims, constant.data_type, &constant.raw_data).hash(&mut hasher);
        let key = hasher.finish();
        let equal = |value: &&Value| {
            let known = &self.graph.initializer[self.constants[value.name()]];
            constant.name.clone_from(&known.name);
            constant == *known
        };
        if let Some(known) = self.stored.get(&key).and_then(|values| values.iter().find(equal)) {
            return known.clone();
        }
        let name = self.next_name("constant");
        // A type without a rule makes the nodes that read it fail.
        if let Some(tensor) = constant.tensor() {
            self.shapes.insert(&name, tensor);
        }
        constant.name.clone_from(&name);
        self.constants.insert(name.clone(), self.graph.initializer.len());
        self.graph.initializer.push(constant);
        let value = Value::named(&name);
        self.stored.entry(key).or_default().push(value.clone());
        value
    }

    /// The finished model, with the tensors of these names as outputs.
    pub(crate) fn finish(mut self, inputs: &[&Value], outputs: &[(&str, &Value)]) -> Model {
        for &(name, value) in outputs {
            let tensor = self.tensor(value).clone();
            self.shapes.insert(name, tensor);
            self.graph.node.push(NodeProto {
                name: name.to_owned(),
                op_type: "Identity".to_owned(),
                input: vec![value.name().to_owned()],
                output: vec![name.to_owned()],
                ..NodeProto::default()
            });
        }
        let declare = |name: &str| declaration(name, self.shapes.get(name)?);
        self.graph.input = inputs.iter().filter_map(|value| declare(value.name())).collect();
        self.graph.output = outputs.iter().filter_map(|(name, _)| declare(name)).collect();
        prune(&mut self.graph);
        // ONNX Runtime opens a graph eight times faster if every shape is given.
        let made = self.graph.node.iter().flat_map(|node| &node.output);
        self.graph.value_info = made.filter_map(|name| declare(name)).collect();
        "gradient".clone_into(&mut self.graph.name);
        let proto = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "faceplane".to_owned(),
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: self.version,
            }],
            graph: Some(self.graph),
            ..ModelProto::default()
        };
        Model::new(proto).expect("the message has a graph")
    }

    fn next_name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}_{}", self.names)
    }
}

/// The nodes and tensors that some outputs of a graph depend on.
struct Needed<'a> {
    nodes: Vec<usize>,
    tensors: HashSet<&'a str>,
}

fn needed_nodes<'a>(graph: &'a GraphProto, outputs: &[&'a str]) -> Needed<'a> {
    let mut tensors: HashSet<&str> = outputs.iter().copied().collect();
    let mut nodes = Vec::new();
    for (index, node) in graph.node.iter().enumerate().rev() {
        if node.output.iter().any(|name| tensors.contains(name.as_str())) {
            tensors.extend(node.input.iter().map(String::as_str));
            nodes.push(index);
        }
    }
    nodes.reverse();
    Needed { nodes, tensors }
}
