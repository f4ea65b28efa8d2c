//! Inputs and random tensors that become constants.

use ndarray::ArrayD;

use crate::graph::edits::Editor;
use crate::graph::proto::{NodeProto, TensorProto};
use crate::graph::{Model, float_tensor, integer, signed};

/// Operators that repeat a constant of one row over the batch by themselves.
const BROADCASTING: [&str; 4] = ["Add", "Sub", "Mul", "Div"];

/// Gives an input the value of a tensor for good.
pub fn bind(model: &mut Model, input: &str, value: TensorProto) {
    let graph = model.graph_mut();
    graph.input.retain(|found| found.name != input);
    let name = input.to_owned();
    graph.initializer.push(TensorProto { name, ..value });
}

/// Gives each row of an input the same values `[1, …]` for good. `like` is an input that has the batch as its first axis.
pub fn bind_rows(model: &mut Model, input: &str, values: &ArrayD<f32>, like: &str) {
    model.graph_mut().input.retain(|found| found.name != input);
    make_rows(model, input, values, like, 0);
}

/// Replaces the node that makes `tensor`: each row of it has the values `[1, …]` for good. `like` is an input of that node
/// that has the batch as its first axis; without it, the tensor has one row.
pub fn replace_by_rows(model: &mut Model, tensor: &str, values: &ArrayD<f32>, like: Option<&str>) {
    let nodes = &mut model.graph_mut().node;
    let made = nodes
        .iter()
        .position(|node| node.output.iter().any(|output| output == tensor));
    let made = made.expect("a node makes the tensor");
    nodes.remove(made);
    match like {
        Some(like) => make_rows(model, tensor, values, like, made),
        None => model
            .graph_mut()
            .initializer
            .push(float_tensor(tensor, values.view())),
    }
}

/// Makes the tensor from a constant, with nodes before the node `position` if its users do not repeat it by themselves.
fn make_rows(model: &mut Model, tensor: &str, values: &ArrayD<f32>, like: &str, position: usize) {
    let takes = |node: &&NodeProto| node.input.iter().any(|input| input == tensor);
    let mut users = model.graph().node.iter().filter(takes);
    let broadcast = users.all(|node| BROADCASTING.contains(&node.op_type.as_str()));
    if broadcast {
        model
            .graph_mut()
            .initializer
            .push(float_tensor(tensor, values.view()));
        return;
    }
    let mut editor = Editor::new(model);
    let constant = editor.constant(values);
    let shape = editor.node("Shape", &[like], vec![]);
    let first = editor.integers(&[0]);
    let batch = editor.node("Gather", &[&shape, &first], vec![integer("axis", 0)]);
    let rest: Vec<_> = values.shape()[1..].iter().map(|&length| signed(length)).collect();
    let rest = editor.integers(&rest);
    let shape = editor.node("Concat", &[&batch, &rest], vec![integer("axis", 0)]);
    editor.node_to(tensor, "Expand", &[&constant, &shape], vec![]);
    editor.finish_at(position);
}
