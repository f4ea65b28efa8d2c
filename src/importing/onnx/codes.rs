//! How an input or output of codes is declared.

use crate::graph::proto::ValueInfoProto;
use crate::graph::{Axis, Model, float_value};

/// Codes of this shape, in a batch that is open or fixed.
pub(super) fn codes(name: &str, batch: Option<usize>, shape: &[usize]) -> ValueInfoProto {
    let batch = batch.map_or_else(Axis::batch, Axis::Fixed);
    let lengths = shape.iter().map(|&length| Axis::Fixed(length));
    let axes: Vec<_> = std::iter::once(batch).chain(lengths).collect();
    float_value(name, &axes)
}

/// Replaces the declaration of the input that has its name.
pub(super) fn declare_input(model: &mut Model, value: ValueInfoProto) {
    let inputs = &mut model.graph_mut().input;
    if let Some(input) = inputs.iter_mut().find(|input| input.name == value.name) {
        *input = value;
    }
}
