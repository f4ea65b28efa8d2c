//! Random nodes that become constants: the same code is then the same face.

use ndarray::{ArrayD, Axis, IxDyn, concatenate};

use crate::graph::edits::{self, Editor};
use crate::graph::proto::{DataType, NodeProto};
use crate::graph::{Axis as GraphAxis, Model, Outline, RANDOM_OPERATORS, float_value, integer};
use crate::importing::onnx::probe::Probe;
use crate::latent::{standard_normal, standard_uniform};

/// Replaces the random nodes of a graph, and returns how many there were. `batches` are two sizes of a run, or one if the
/// graph fixes it. An error is what was found and what was expected.
pub(super) fn make_constant(
    model: &mut Model,
    probe: Probe<'_>,
    batches: &[usize],
) -> Result<usize, (String, String)> {
    let nodes = model.graph().node.iter();
    let random: Vec<NodeProto> = nodes
        .filter(|node| node.domain.is_empty() && RANDOM_OPERATORS.contains(&node.op_type.as_str()))
        .cloned()
        .collect();
    let all = Outline::read(&model.to_bytes()).random_nodes;
    let known = |node: &NodeProto| {
        node.op_type.starts_with("RandomNormal") || node.op_type.starts_with("RandomUniform")
    };
    if all.len() > random.len() || !random.iter().all(known) {
        return Err((
            format!("the random nodes {}", all.join(", ")),
            "RandomNormal(Like) and RandomUniform(Like) outside of branches, loops and functions".to_owned(),
        ));
    }
    if random.is_empty() {
        return Ok(0);
    }
    let outputs: Vec<&str> = random.iter().map(|node| node.output[0].as_str()).collect();
    let shapes = batches
        .iter()
        .map(|&batch| shapes(model, &outputs, probe, batch))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|reason| {
            (
                format!("random nodes, and a run that failed: {reason}"),
                "a graph that runs".to_owned(),
            )
        })?;
    for (index, node) in random.iter().enumerate() {
        let shape = &shapes[0][index];
        // The axis of the batch has the length of the batch in every run.
        let of_batch = batches
            .iter()
            .zip(&shapes)
            .all(|(batch, shapes)| shapes[index].first() == Some(batch));
        let like = node.input.first().map(String::as_str);
        match (of_batch, like) {
            (true, Some(_)) => {
                let row = [&[1], &shape[1..]].concat();
                edits::replace_by_rows(model, &node.output[0], &values(node, index, &row), like);
            }
            (true, None) => {
                let row = values(node, index, &[&[1], &shape[1..]].concat());
                let rows =
                    concatenate(Axis(0), &vec![row.view(); shape[0]]).expect("all rows have one shape");
                edits::replace_by_rows(model, &node.output[0], &rows, None);
            }
            (false, _) => edits::replace_by_rows(model, &node.output[0], &values(node, index, shape), None),
        }
    }
    Ok(random.len())
}

/// The shapes of tensors in a run.
fn shapes(
    model: &Model,
    tensors: &[&str],
    probe: Probe<'_>,
    batch: usize,
) -> Result<Vec<Vec<usize>>, String> {
    let mut model = model.clone();
    let mut editor = Editor::new(&mut model);
    let outputs: Vec<_> = tensors
        .iter()
        .map(|tensor| {
            let shape = editor.node("Shape", &[tensor], vec![]);
            let to = i64::from(i32::from(DataType::Float));
            let shape = editor.node("Cast", &[&shape], vec![integer("to", to)]);
            float_value(&shape, &[GraphAxis::Open("axes".to_owned())])
        })
        .collect();
    editor.finish_behind();
    let inputs = model.graph().input.clone();
    let part = edits::extract(&model, &inputs, &outputs).expect("all inputs are given");
    let shapes = probe.outputs(&part, batch)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths of axes"
    )]
    let lengths = |shape: ArrayD<f32>| shape.iter().map(|&length| length as usize).collect();
    Ok(shapes.into_iter().map(lengths).collect())
}

/// The constants for a random node: from its distribution, the same in every import, and other ones for each node.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a graph has few random nodes, and its values are f32"
)]
fn values(node: &NodeProto, index: usize, shape: &[usize]) -> ArrayD<f32> {
    let attribute = |name: &str, default: f32| {
        let found = node.attribute.iter().find(|attribute| attribute.name == name);
        f64::from(found.map_or(default, |attribute| attribute.f))
    };
    let (seed, count) = (index as u32, shape.iter().product());
    let values: Vec<f32> = if node.op_type.starts_with("RandomNormal") {
        let (mean, scale) = (attribute("mean", 0.0), attribute("scale", 1.0));
        let normal = standard_normal(seed, count).into_iter();
        normal.map(|value| (mean + scale * value) as f32).collect()
    } else {
        let (low, high) = (attribute("low", 0.0), attribute("high", 1.0));
        let uniform = standard_uniform(seed, count).into_iter();
        uniform.map(|value| (low + (high - low) * value) as f32).collect()
    };
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("there is a value for each element")
}
