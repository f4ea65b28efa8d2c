//! The gradient of any output of a graph by its input.

use crate::graph::gradient::derivative::differentiate;
use crate::graph::gradient::image_conversion::output_or_first;
use crate::graph::gradient::input::{batch_inputs, input_count};
use crate::graph::gradient::step::Gradient;
use crate::graph::gradient::tape::Tape;
use crate::graph::{GraphError, Model, Value};

/// The graph of the product of weights and the derivative of an output by the graph's input.
///
/// It takes the input, whose first axis is the batch, the inputs `others`, and `weights` in the shape of the output. It returns
/// `gradient`: the gradient of the sum of weights · output by the input that is not one of the others. If the graph has no output of
/// this name, its first one is used.
///
/// # Errors
/// [`GraphError`] if an operator cannot be differentiated, or if a shape is not known.
pub fn vector_jacobian_product(model: &Model, output: &str, others: &[&str]) -> Result<Model, GraphError> {
    let mut tape = Tape::default();
    let declared = batch_inputs(model, 1 + others.len())?;
    let mut bound = Vec::with_capacity(declared.len());
    for (name, shape) in &declared {
        bound.push((name.as_str(), tape.input(name, shape.clone())));
    }
    let is_other = |(name, _): &&(&str, Value)| others.contains(name);
    let (fixed, free): (Vec<_>, Vec<_>) = bound.iter().partition(is_other);
    let [(_, input)] = free.as_slice() else {
        return Err(input_count(model, 1 + others.len()));
    };
    let output = output_or_first(model, output)?;
    let values: Vec<_> = bound.iter().map(|(name, value)| (*name, value)).collect();
    let output = tape.append(model, &values, &[&output])?.swap_remove(0);
    let shape = tape.shape(&output).to_vec();
    let weights = tape.input("weights", shape);
    let seeds = vec![(output, Gradient::new(weights.clone(), 1.0))];
    let gradient = differentiate(&mut tape, seeds, input)?;
    let mut inputs = vec![input];
    inputs.extend(fixed.iter().map(|(_, value)| value));
    inputs.push(&weights);
    Ok(tape.finish(&inputs, &[("gradient", &gradient)]))
}
