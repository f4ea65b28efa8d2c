//! A whole generator z → image, split into mapping and synthesis.
//!
//! A tensor is w if every path from z (and the label) to the image goes through it, at least one affine layer makes it, and
//! several affine layers take it: the styles. Its shape is `[batch, dim]`, or `[batch, layers, dim]` with equal rows. The last
//! such tensor is taken. The two halves must make the same image as the whole; otherwise the generator is not split.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};

use crate::graph::edits::{self, Editor, Flow};
use crate::graph::proto::DataType;
use crate::graph::{Model, integer, signed, undeclared_value};
use crate::importing::onnx::codes::codes;
use crate::importing::onnx::part::{Part, has_equal_rows, one_row};
use crate::importing::onnx::probe::Probe;

/// Largest difference between an image of the whole and of the two halves.
const TOLERANCE: f32 = 1e-3;
/// The batches of the runs in which shapes are found, if the batch is open.
const BATCHES: [usize; 2] = [2, 3];

/// The two networks of a generator.
pub(super) struct Halves {
    /// `z` (and `label`) → `w` `[batch, w_dim]`.
    pub(super) mapping: Model,
    /// `w` `[batch, layers, w_dim]`, or `[batch, w_dim]` if there is one layer → `image`.
    pub(super) synthesis: Model,
    pub(super) w_dim: usize,
    pub(super) layers: usize,
}

/// Splits a generator. `None` if it has no tensor that is clearly w.
pub(super) fn split(part: &Part<'_>) -> Option<Halves> {
    let sources: &[&str] = if part.label.is_some() {
        &["z", "label"]
    } else {
        &["z"]
    };
    let flow = Flow::new(&part.model, sources, &part.output);
    for cut in flow.cuts().into_iter().rev() {
        if flow.affine_layers_after(cut) < 2 || !flow.has_affine_layer_before(cut) {
            continue;
        }
        if let Some(halves) = split_at(part, cut, &flow.shapes_before(cut)) {
            return Some(halves);
        }
    }
    None
}

/// The halves before and behind a tensor, if it is w.
fn split_at(part: &Part<'_>, cut: &str, shapes: &[&str]) -> Option<Halves> {
    let batch = part.batch.unwrap_or(BATCHES[0]);
    let inputs = &part.model.graph().input;
    let mut mapping = edits::extract(&part.model, inputs, &[undeclared_value(cut)])?;
    let w = part.probe.outputs(&mapping, batch).ok()?.swap_remove(0);
    let (layers, w_dim) = match *w.shape() {
        [rows, w_dim] if rows == batch => (1, w_dim),
        [rows, layers, w_dim] if rows == batch && has_equal_rows(&w) => (layers, w_dim),
        _ => return None,
    };
    one_row(&mut mapping, cut, part.batch, w.ndim() == 3, w_dim);
    // What the layers need of the shapes before w is computed from the shape of w.
    let inputs: Vec<_> = std::iter::once(codes(cut, part.batch, &w.shape()[1..]))
        .chain(shapes.iter().map(|shape| undeclared_value(shape)))
        .collect();
    let mut synthesis = edits::extract(&part.model, &inputs, &part.model.graph().output)?;
    synthesis
        .graph_mut()
        .input
        .retain(|input| !shapes.contains(&input.name.as_str()));
    for shape in shapes
        .iter()
        .filter(|shape| is_used(&synthesis, shape))
        .collect::<Vec<_>>()
    {
        localize_shape(&mut synthesis, part, shape, cut)?;
    }
    Editor::new(&mut synthesis).rename(cut, "w");
    let halves = Halves {
        mapping,
        synthesis,
        w_dim,
        layers,
    };
    halves
        .make_the_images_of(part, batch, w.ndim() == 3)
        .then_some(halves)
}

/// Whether a node uses a tensor.
fn is_used(model: &Model, tensor: &str) -> bool {
    model
        .graph()
        .node
        .iter()
        .any(|node| edits::used(node).contains(&tensor))
}

/// Computes a tensor that holds the shape of something before the cut from the batch of the cut.
fn localize_shape(model: &mut Model, part: &Part<'_>, shape: &str, cut: &str) -> Option<()> {
    let batches = part.batch.map_or_else(|| BATCHES.to_vec(), |batch| vec![batch]);
    let found: Vec<_> = batches
        .iter()
        .map(|&batch| integers_of(&part.model, shape, part.probe, batch))
        .collect::<Option<_>>()?;
    let (first, last) = (found.first()?, found.last()?);
    // Each length is `constant + factor · batch`.
    let factors: Vec<i64> = first
        .0
        .iter()
        .zip(&last.0)
        .map(|(first, last)| last - first)
        .collect();
    let batch = signed(batches[0]);
    let constants: Vec<i64> = first
        .0
        .iter()
        .zip(&factors)
        .map(|(first, factor)| first - factor * batch)
        .collect();
    let mut editor = Editor::new(model);
    let (constants, factors) = (editor.integers(&constants), editor.integers(&factors));
    let own = editor.node("Shape", &[cut], vec![]);
    let zero = editor.integers(&[0]);
    let batch = editor.node("Gather", &[&own, &zero], vec![integer("axis", 0)]);
    let scaled = editor.node("Mul", &[&batch, &factors], vec![]);
    let sum = editor.node("Add", &[&scaled, &constants], vec![]);
    let axes: Vec<i64> = first.1.iter().map(|&length| signed(length)).collect();
    let axes = editor.integers(&axes);
    editor.node_to(shape, "Reshape", &[&sum, &axes], vec![]);
    editor.finish_before();
    Some(())
}

/// The values of a tensor of integers in a run, and its shape.
fn integers_of(
    model: &Model,
    tensor: &str,
    probe: Probe<'_>,
    batch: usize,
) -> Option<(Vec<i64>, Vec<usize>)> {
    let mut model = model.clone();
    let mut editor = Editor::new(&mut model);
    let to = i64::from(i32::from(DataType::Float));
    let values = editor.node("Cast", &[tensor], vec![integer("to", to)]);
    editor.finish_behind();
    let inputs = model.graph().input.clone();
    let part = edits::extract(&model, &inputs, &[undeclared_value(&values)])?;
    let values = probe.outputs(&part, batch).ok()?.swap_remove(0);
    #[expect(clippy::cast_possible_truncation, reason = "lengths of axes")]
    let integers = values.iter().map(|&value| value as i64).collect();
    Some((integers, values.shape().to_vec()))
}

impl Halves {
    /// Whether the halves make the same images as the whole.
    fn make_the_images_of(&self, part: &Part<'_>, batch: usize, is_layered: bool) -> bool {
        let run = |model: &Model, inputs: &[(&str, ArrayViewD<'_, f32>)]| {
            (part.probe.run)(model, inputs)
                .ok()
                .map(|mut outputs| outputs.swap_remove(0))
        };
        let images = || {
            let whole = part.probe.outputs(&part.model, batch).ok()?.swap_remove(0);
            let w = part.probe.outputs(&self.mapping, batch).ok()?.swap_remove(0);
            let codes = if is_layered {
                let shape = IxDyn(&[batch, self.layers, self.w_dim]);
                w.insert_axis(Axis(1)).broadcast(shape)?.to_owned()
            } else {
                w
            };
            Some((whole, run(&self.synthesis, &[("w", codes.view())])?))
        };
        images().is_some_and(|(whole, halves): (ArrayD<f32>, ArrayD<f32>)| {
            whole.shape() == halves.shape()
                && whole.iter().zip(&halves).all(|(a, b)| (a - b).abs() <= TOLERANCE)
        })
    }
}
