//! Runs that find what a graph does not declare.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};

use crate::graph::{Model, edits};
use crate::latent::standard_normal;

/// Runs a graph once on f32 inputs, by name, and returns its f32 outputs in their order. The error is the message of whatever
/// runs it.
pub type RunGraph<'a> =
    dyn Fn(&Model, &[(&str, ArrayViewD<'_, f32>)]) -> Result<Vec<ArrayD<f32>>, String> + 'a;

/// Runs graphs on codes that look random and are always the same.
#[derive(Clone, Copy)]
pub(super) struct Probe<'a> {
    pub(super) run: &'a RunGraph<'a>,
}

impl Probe<'_> {
    /// Runs a graph on a batch. Its input `label` gets the first class, every other input random codes.
    pub(super) fn outputs(&self, model: &Model, batch: usize) -> Result<Vec<ArrayD<f32>>, String> {
        let inputs = edits::inputs(model);
        let values: Vec<_> = inputs
            .iter()
            .map(|input| {
                let axes = input.axes.iter().flatten().skip(1);
                let shape: Vec<_> = std::iter::once(batch)
                    .chain(axes.map(|axis| axis.unwrap_or(1)))
                    .collect();
                if input.name == "label" {
                    first_class(&shape)
                } else {
                    codes(&shape)
                }
            })
            .collect();
        let names = inputs.iter().map(|input| input.name.as_str());
        let inputs: Vec<_> = names.zip(values.iter().map(|values| values.view())).collect();
        (self.run)(model, &inputs)
    }
}

/// Codes of this shape, from the standard normal distribution.
#[expect(clippy::cast_possible_truncation, reason = "codes are f32")]
pub(super) fn codes(shape: &[usize]) -> ArrayD<f32> {
    let values = standard_normal(0, shape.iter().product());
    let values = values.into_iter().map(|value| value as f32).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).expect("there is a value for each element")
}

fn first_class(shape: &[usize]) -> ArrayD<f32> {
    let mut label = ArrayD::zeros(IxDyn(shape));
    label.index_axis_mut(Axis(1), 0).fill(1.0);
    label
}
