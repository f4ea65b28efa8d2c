//! A graph in float32, whatever its types of floating-point numbers were.

use crate::graph::Model;
use crate::graph::proto::{
    AttributeProto, DataType, ElementType, GraphProto, NodeProto, TensorProto, TypeProto, TypeValue,
};

/// The attributes that name a type of elements.
const TYPE_ATTRIBUTES: [&str; 3] = ["to", "dtype", "output_dtype"];

/// Makes every float16, bfloat16 and float64 tensor of a graph float32. Returns whether there was one.
///
/// ONNX Runtime's kernels for the CPU cannot convolve float64, and compute float16 in float32 with a conversion around each node.
pub fn to_float32(model: &mut Model) -> bool {
    let mut found = false;
    convert_graph(model.graph_mut(), &mut found);
    for function in model.functions_mut() {
        convert_nodes(&mut function.node, &mut found);
    }
    if found {
        // Shapes between the nodes are derived again, with their types.
        model.graph_mut().value_info.clear();
    }
    found
}

/// Makes an input of bytes take float32. A cast of it to float32 then changes nothing.
pub fn accept_float_input(model: &mut Model) {
    for value in &mut model.graph_mut().input {
        if let Some(TypeValue::Tensor(tensor)) = value.r#type.as_mut().and_then(|kind| kind.value.as_mut())
            && tensor.elem_type == i32::from(DataType::Uint8)
        {
            tensor.elem_type = DataType::Float.into();
        }
    }
}

fn convert_graph(graph: &mut GraphProto, found: &mut bool) {
    for tensor in &mut graph.initializer {
        convert_tensor(tensor, found);
    }
    let values = graph
        .input
        .iter_mut()
        .chain(&mut graph.output)
        .chain(&mut graph.value_info);
    for kind in values.filter_map(|value| value.r#type.as_mut()) {
        convert_type(kind, found);
    }
    convert_nodes(&mut graph.node, found);
}

fn convert_nodes(nodes: &mut [NodeProto], found: &mut bool) {
    for attribute in nodes.iter_mut().flat_map(|node| &mut node.attribute) {
        convert_attribute(attribute, found);
    }
}

fn convert_attribute(attribute: &mut AttributeProto, found: &mut bool) {
    for tensor in attribute.t.iter_mut().chain(&mut attribute.tensors) {
        convert_tensor(tensor, found);
    }
    for graph in attribute.g.iter_mut().chain(&mut attribute.graphs) {
        convert_graph(graph, found);
    }
    for kind in attribute.tp.iter_mut().chain(&mut attribute.type_protos) {
        convert_type(kind, found);
    }
    if TYPE_ATTRIBUTES.contains(&attribute.name.as_str())
        && let Ok(element) = i32::try_from(attribute.i)
        && is_other_float(element)
    {
        attribute.i = i64::from(i32::from(DataType::Float));
        *found = true;
    }
}

fn convert_type(kind: &mut TypeProto, found: &mut bool) {
    match &mut kind.value {
        Some(TypeValue::Tensor(tensor) | TypeValue::SparseTensor(tensor))
            if is_other_float(tensor.elem_type) =>
        {
            tensor.elem_type = DataType::Float.into();
            *found = true;
        }
        Some(TypeValue::Sequence(element) | TypeValue::Optional(element)) => {
            let ElementType { elem_type } = &mut **element;
            if let Some(kind) = elem_type {
                convert_type(kind, found);
            }
        }
        _ => {}
    }
}

fn convert_tensor(tensor: &mut TensorProto, found: &mut bool) {
    if !is_other_float(tensor.data_type) {
        return;
    }
    // Weights in another file have no values here.
    let Some(values) = tensor.floats() else { return };
    *found = true;
    tensor.data_type = DataType::Float.into();
    tensor.raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor.int32_data.clear();
    tensor.double_data.clear();
}

fn is_other_float(element: i32) -> bool {
    matches!(
        DataType::try_from(element),
        Ok(DataType::Float16 | DataType::Bfloat16 | DataType::Double)
    )
}
