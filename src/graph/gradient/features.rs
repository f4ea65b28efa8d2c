//! Which tensors of a network of images are its features.

use std::collections::HashMap;

use crate::graph::gradient::input::sole_input;
use crate::graph::gradient::upgrade::upgrade;
use crate::graph::proto::{DataType, NodeProto, TensorProto};
use crate::graph::shapes::{Length, Shapes, Tensor};
use crate::graph::{GraphError, Model};

/// How many feature maps are compared.
const MAPS: usize = 3;

/// Functions that follow a layer.
const ACTIVATIONS: &[&str] = &[
    "Celu",
    "Elu",
    "Gelu",
    "HardSwish",
    "LeakyRelu",
    "Mish",
    "PRelu",
    "Relu",
    "Selu",
    "Softplus",
    "Tanh",
    "ThresholdedRelu",
];

/// The feature maps of a network for images of a shape: the output of the last activation at each size, from the largest size on.
pub(crate) fn feature_names(model: &Model, image: &[Length]) -> Result<Vec<String>, GraphError> {
    let graph = model.graph();
    let mut shapes = Shapes::default();
    for constant in &graph.initializer {
        if let Some(tensor) = constant.tensor() {
            shapes.insert(&constant.name, tensor);
        }
    }
    let (input, _) = sole_input(model)?;
    shapes.insert(&input, Tensor::new(DataType::Float, image.to_vec()));
    let mut makers: HashMap<&str, &NodeProto> = HashMap::new();
    // The last activation of each size, in the order in which the sizes appear.
    let mut last: Vec<(i64, &str)> = Vec::new();
    for node in &graph.node {
        let mut copy = upgrade(node, model.operator_set())?;
        for (position, constant) in copy.constants {
            let name = format!("{} {position}", node.output[0]);
            if let Some(tensor) = constant.tensor() {
                shapes.insert(&name, tensor);
            }
            copy.node
                .input
                .resize(copy.node.input.len().max(position + 1), String::new());
            copy.node.input[position] = name;
        }
        let value = copy.node.attribute("value").and_then(|value| value.t.as_ref());
        match value
            .filter(|_| node.op_type == "Constant")
            .and_then(TensorProto::tensor)
        {
            Some(tensor) => shapes.insert(&node.output[0], tensor),
            // What follows an unknown operator is unknown, too.
            None => drop(shapes.infer(&copy.node)),
        }
        makers.extend(node.output.iter().map(|name| (name.as_str(), node)));
        let output = node
            .output
            .first()
            .and_then(|name| Some((name, shapes.get(name)?)));
        let Some((name, tensor)) = output.filter(|_| is_activation(node, &makers)) else {
            continue;
        };
        if let [Length::BATCH, _, height, width] = *tensor.shape.as_slice()
            && height.factor.min(width.factor) > 1
        {
            let area = height.factor * width.factor;
            match last.iter_mut().find(|(known, _)| *known == area) {
                Some((_, known)) => *known = name,
                None => last.push((area, name)),
            }
        }
    }
    if last.is_empty() {
        return Err(GraphError::NoTensor {
            name: "of an activation with an open batch".to_owned(),
        });
    }
    Ok(last
        .into_iter()
        .take(MAPS)
        .map(|(_, name)| name.to_owned())
        .collect())
}

/// Whether a node is an activation, or the last node of x · sigmoid(x).
fn is_activation(node: &NodeProto, makers: &HashMap<&str, &NodeProto>) -> bool {
    let gates = |gate: &str, value: &str| {
        let gate = makers
            .get(gate)
            .filter(|gate| matches!(gate.op_type.as_str(), "HardSigmoid" | "Sigmoid"));
        gate.is_some_and(|gate| gate.input.first().is_some_and(|input| input == value))
    };
    match node.input.as_slice() {
        [one, other] if node.op_type == "Mul" => gates(one, other) || gates(other, one),
        _ => ACTIVATIONS.contains(&node.op_type.as_str()),
    }
}
