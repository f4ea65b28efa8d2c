//! The gradient of any output of a graph by its input.

use crate::graph::gradient::derivative::differentiate;
use crate::graph::gradient::input::batch_input;
use crate::graph::gradient::step::Gradient;
use crate::graph::gradient::tape::Tape;
use crate::graph::{GraphError, Model};

/// The graph of the product of weights and the derivative of an output by the graph's input.
///
/// It takes the input, whose first axis is the batch, and `weights` in the shape of the output. It returns `gradient`: the gradient
/// of the sum of weights · output.
///
/// # Errors
/// [`GraphError`] if an operator cannot be differentiated, or if a shape is not known.
pub fn vector_jacobian_product(model: &Model, output: &str) -> Result<Model, GraphError> {
    let mut tape = Tape::default();
    let (name, shape) = batch_input(model)?;
    let input = tape.input(&name, shape);
    let output = tape.append(model, &[(&name, &input)], &[output])?.swap_remove(0);
    let shape = tape.shape(&output).to_vec();
    let weights = tape.input("weights", shape);
    let seeds = vec![(output, Gradient::new(weights.clone(), 1.0))];
    let gradient = differentiate(&mut tape, seeds, &input)?;
    Ok(tape.finish(&[&input, &weights], &[("gradient", &gradient)]))
}
