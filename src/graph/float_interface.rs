//! Gives a graph inputs and outputs of float32, whatever types it computes with.

use prost::Message;

use crate::graph::edits::rename_nodes;
use crate::graph::proto::{DataType, GraphProto, NodeProto, TypeValue, ValueInfoProto};
use crate::graph::{GraphError, Model, integer};

/// Element types that a cast converts from and to float32.
const CASTABLE: [DataType; 7] = [
    DataType::Float16,
    DataType::Bfloat16,
    DataType::Double,
    DataType::Uint8,
    DataType::Int8,
    DataType::Int32,
    DataType::Int64,
];

/// A graph after [`with_float_interface`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatInterface {
    /// The content of its file. `None` if nothing changed.
    pub bytes: Option<Vec<u8>>,
    /// The element type that its first input had. `None` if that is no tensor.
    pub input: Option<DataType>,
}

/// Casts inputs and outputs of other number types to float32. Their names stay.
///
/// # Errors
/// [`GraphError`] if the bytes are not an ONNX file.
pub fn with_float_interface(bytes: &[u8]) -> Result<FloatInterface, GraphError> {
    // Weights can have hundreds of megabytes, and most graphs need no change: the first look reads only the interface.
    let interface = Interface::decode(bytes).map_err(|error| GraphError::NotOnnx {
        reason: error.to_string(),
    })?;
    let graph = interface.graph.unwrap_or_default();
    let input = graph.input.first().and_then(element_type);
    if !graph.input.iter().chain(&graph.output).any(is_castable) {
        return Ok(FloatInterface { bytes: None, input });
    }
    let mut model = Model::read(bytes)?;
    cast_inputs(model.graph_mut());
    cast_outputs(model.graph_mut());
    Ok(FloatInterface {
        bytes: Some(model.to_bytes()),
        input,
    })
}

/// The inputs and outputs of a graph. The decoder skips everything else.
#[derive(Clone, PartialEq, Message)]
struct Interface {
    #[prost(message, optional, tag = "7")]
    graph: Option<InterfaceGraph>,
}

#[derive(Clone, PartialEq, Message)]
struct InterfaceGraph {
    #[prost(message, repeated, tag = "11")]
    input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<ValueInfoProto>,
}

fn cast_inputs(graph: &mut GraphProto) {
    let mut casts = Vec::new();
    for index in 0..graph.input.len() {
        let is_weight =
            |graph: &GraphProto, name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        let Some(found) = element_type(&graph.input[index]).filter(|found| CASTABLE.contains(found)) else {
            continue;
        };
        let name = graph.input[index].name.clone();
        if is_weight(graph, &name) {
            continue;
        }
        let inner = format!("{name}/{found:?}");
        rename_nodes(&mut graph.node, &name, &inner);
        casts.push(cast(&name, &inner, found));
        set_float(&mut graph.input[index]);
    }
    graph.node.splice(0..0, casts);
}

fn cast_outputs(graph: &mut GraphProto) {
    for index in 0..graph.output.len() {
        let Some(found) = element_type(&graph.output[index]).filter(|found| CASTABLE.contains(found)) else {
            continue;
        };
        let name = graph.output[index].name.clone();
        let inner = format!("{name}/{found:?}");
        rename_nodes(&mut graph.node, &name, &inner);
        graph.node.push(cast(&inner, &name, DataType::Float));
        set_float(&mut graph.output[index]);
    }
}

fn element_type(value: &ValueInfoProto) -> Option<DataType> {
    match value.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) => DataType::try_from(tensor.elem_type).ok(),
        _ => None,
    }
}

fn is_castable(value: &ValueInfoProto) -> bool {
    element_type(value).is_some_and(|found| CASTABLE.contains(&found))
}

fn set_float(value: &mut ValueInfoProto) {
    if let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().and_then(|found| found.value.as_mut()) {
        tensor.elem_type = DataType::Float.into();
    }
}

fn cast(from: &str, to: &str, element: DataType) -> NodeProto {
    NodeProto {
        name: format!("cast/{from}"),
        op_type: "Cast".to_owned(),
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        attribute: vec![integer("to", i64::from(i32::from(element)))],
        ..NodeProto::default()
    }
}
