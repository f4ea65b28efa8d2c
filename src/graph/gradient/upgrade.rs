//! Older forms of operators, rewritten to the form that the tape's operator set has.

use crate::graph::GraphError;
use crate::graph::proto::{AttributeProto, DataType, NodeProto, TensorProto};
use crate::graph::tensors::{float_tensor, integer_tensor, scalar};

/// Integer attributes that later operator sets made inputs: operator, attribute, position of the input, and the first operator
/// set with the input.
const INTEGERS: &[(&str, &str, usize, i64)] = &[
    ("Pad", "pads", 1, 11),
    ("ReduceL1", "axes", 1, 18),
    ("ReduceL2", "axes", 1, 18),
    ("ReduceLogSum", "axes", 1, 18),
    ("ReduceLogSumExp", "axes", 1, 18),
    ("ReduceMax", "axes", 1, 18),
    ("ReduceMean", "axes", 1, 18),
    ("ReduceMin", "axes", 1, 18),
    ("ReduceProd", "axes", 1, 18),
    ("ReduceSum", "axes", 1, 13),
    ("ReduceSumSquare", "axes", 1, 18),
    ("Slice", "axes", 3, 10),
    ("Slice", "ends", 2, 10),
    ("Slice", "starts", 1, 10),
    ("Split", "split", 1, 13),
    ("Squeeze", "axes", 1, 13),
    ("Unsqueeze", "axes", 1, 13),
];

/// Numbers, likewise.
const NUMBERS: &[(&str, &str, usize, i64)] = &[
    ("Clip", "min", 1, 11),
    ("Clip", "max", 2, 11),
    ("Pad", "value", 2, 11),
];

/// A node in the form of the tape's operator set, and constants that replace attributes.
pub(crate) struct Upgraded {
    pub(crate) node: NodeProto,
    /// Inputs by position.
    pub(crate) constants: Vec<(usize, TensorProto)>,
}

/// Rewrites a node of operator set `version`.
pub(crate) fn upgrade(node: &NodeProto, version: i64) -> Result<Upgraded, GraphError> {
    let mut node = node.clone();
    let operator = node.op_type.clone();
    let mut constants = Vec::new();
    let outdated = |(name, _, _, since): &&(&str, &str, usize, i64)| operator == *name && version < *since;
    for &(_, attribute, position, _) in INTEGERS.iter().filter(outdated) {
        if let Some(values) = node.integers(attribute) {
            constants.push((position, integer_tensor("", values)));
            node.attribute.retain(|known| known.name != attribute);
        }
    }
    for &(_, attribute, position, _) in NUMBERS.iter().filter(outdated) {
        if let Some(number) = node.float(attribute) {
            constants.push((position, float_tensor("", scalar(number).view())));
            node.attribute.retain(|known| known.name != attribute);
        }
    }
    match operator.as_str() {
        // Before operator set 13 it took all axes from the given one on as one.
        "Softmax" | "LogSoftmax" if version < 13 && !matches!(node.integer("axis"), Some(-1)) => {
            return Err(GraphError::NotDifferentiable {
                operator,
                node: node.name,
                reason: format!("found operator set {version}, expected 13 or later"),
            });
        }
        "Dropout" => {
            "Identity".clone_into(&mut node.op_type);
            node.attribute.clear();
            node.input.truncate(1);
            node.output.truncate(1);
        }
        // Equal parts need their number from operator set 18 on.
        "Split" if node.input_name(1).is_none() && node.integer("num_outputs").is_none() => {
            let count = i64::try_from(node.output.len()).unwrap_or(1);
            node.attribute.push(crate::graph::integer("num_outputs", count));
        }
        "Constant" => as_tensor(&mut node),
        _ => {}
    }
    Ok(Upgraded { node, constants })
}

/// Gives a `Constant` the one form that has a tensor.
fn as_tensor(node: &mut NodeProto) {
    let Some(attribute) = node.attribute.first() else {
        return;
    };
    let one = |count: usize| vec![i64::try_from(count).unwrap_or(0)];
    let tensor = match attribute.name.as_str() {
        "value_float" => TensorProto {
            data_type: DataType::Float.into(),
            float_data: vec![attribute.f],
            ..TensorProto::default()
        },
        "value_floats" => TensorProto {
            data_type: DataType::Float.into(),
            dims: one(attribute.floats.len()),
            float_data: attribute.floats.clone(),
            ..TensorProto::default()
        },
        "value_int" => TensorProto {
            data_type: DataType::Int64.into(),
            int64_data: vec![attribute.i],
            ..TensorProto::default()
        },
        "value_ints" => TensorProto {
            data_type: DataType::Int64.into(),
            dims: one(attribute.ints.len()),
            int64_data: attribute.ints.clone(),
            ..TensorProto::default()
        },
        _ => return,
    };
    node.attribute = vec![AttributeProto {
        name: "value".to_owned(),
        t: Some(tensor),
        ..AttributeProto::default()
    }];
}
