//! One node of the backward pass: what its rule reads, and what it returns.

use std::collections::HashSet;

use crate::graph::gradient::ops;
use crate::graph::gradient::tape::Tape;
use crate::graph::proto::NodeProto;
use crate::graph::shapes::Length;
use crate::graph::{GraphError, Value};

/// The gradient of a tensor: `factor · value`, where `value` may have axes of length 1 along which the gradient is constant.
///
/// Factors and lengths are applied as late as possible: most rules only pass them on.
#[derive(Clone, Debug)]
pub(crate) struct Gradient {
    pub(crate) value: Value,
    pub(crate) factor: f64,
}

impl Gradient {
    pub(crate) fn new(value: Value, factor: f64) -> Self {
        Self { value, factor }
    }
}

/// What a node adds to the gradient of an input.
#[derive(Clone, Debug)]
pub(crate) enum Share {
    /// A gradient of the whole tensor.
    Whole(Gradient),
    /// A gradient of the part of the tensor that begins at `from` along `axis`, with all elements of that part.
    Part {
        axis: usize,
        from: i64,
        gradient: Gradient,
    },
}

impl Share {
    /// The only share of a node: that of all of its first input.
    pub(crate) fn sole(value: Value, factor: f64) -> Vec<(usize, Self)> {
        vec![(0, Self::Whole(Gradient::new(value, factor)))]
    }
}

/// Shares, with the index of their input.
pub(crate) type Shares = Result<Vec<(usize, Share)>, GraphError>;

/// The rule of an operator.
pub(crate) type Rule = fn(&mut Step<'_>) -> Shares;

/// A node, with the gradients of its outputs.
pub(crate) struct Step<'a> {
    pub(crate) tape: &'a mut Tape,
    pub(crate) node: &'a NodeProto,
    /// `None` for an output that the loss does not depend on.
    pub(crate) gradients: Vec<Option<Gradient>>,
    pub(crate) depends: &'a HashSet<String>,
}

impl Step<'_> {
    /// The gradient of the first output.
    pub(crate) fn gradient(&self) -> Result<Gradient, GraphError> {
        let first = self.gradients.first().cloned().flatten();
        first.ok_or_else(|| self.refusal("only its other outputs are used"))
    }

    /// An input.
    pub(crate) fn input(&self, index: usize) -> Result<Value, GraphError> {
        match self.node.input_name(index) {
            Some(name) => Ok(Value::named(name)),
            None => Err(self.refusal(&format!("it lacks input {index}"))),
        }
    }

    /// An output.
    pub(crate) fn output(&self, index: usize) -> Value {
        Value::named(&self.node.output[index])
    }

    /// The shape of an input.
    pub(crate) fn shape(&self, index: usize) -> Result<Vec<Length>, GraphError> {
        Ok(self.tape.shape(&self.input(index)?).to_vec())
    }

    /// Whether the gradient of an input is needed.
    pub(crate) fn wants(&self, index: usize) -> bool {
        self.node
            .input_name(index)
            .is_some_and(|name| self.depends.contains(name))
    }

    /// An error for a node that has no derivative here.
    pub(crate) fn refusal(&self, reason: &str) -> GraphError {
        GraphError::NotDifferentiable {
            operator: self.node.op_type.clone(),
            node: self.node.name.clone(),
            reason: reason.to_owned(),
        }
    }

    /// An error if an input that must be a constant depends on the code.
    pub(crate) fn expect_constant(&self, index: usize, what: &str) -> Result<(), GraphError> {
        if self.wants(index) {
            return Err(self.refusal(&format!("its {what} depends on the code, expected a constant")));
        }
        Ok(())
    }

    /// The elements of an integer input.
    pub(crate) fn integers(&self, index: usize) -> Result<Vec<i64>, GraphError> {
        let value = self.input(index)?;
        let integers = self.tape.tensor(&value).integers.as_ref();
        integers
            .and_then(|integers| integers.iter().map(|length| length.number()).collect())
            .ok_or_else(|| self.refusal(&format!("input {index} is not a constant of integers")))
    }

    /// The elements of an optional integer input.
    pub(crate) fn optional_integers(&self, index: usize) -> Result<Option<Vec<i64>>, GraphError> {
        match self.node.input_name(index) {
            Some(_) => self.integers(index).map(Some),
            None => Ok(None),
        }
    }

    /// A gradient with all elements of the first output, and its factor.
    pub(crate) fn full_gradient(&mut self) -> Result<Gradient, GraphError> {
        let gradient = self.gradient()?;
        let output = self.output(0);
        self.full(&gradient, &output)
    }

    /// A gradient of `like` with all elements.
    pub(crate) fn full(&mut self, gradient: &Gradient, like: &Value) -> Result<Gradient, GraphError> {
        let shape = self.tape.shape(like).to_vec();
        let value = ops::expand(self.tape, &gradient.value, &shape, like)?;
        Ok(Gradient::new(value, gradient.factor))
    }

    /// The share of an input of the form `value · factor`, where `value` can be broadcast to the first output: it is summed over
    /// the axes along which the input was broadcast.
    pub(crate) fn elementwise(
        &mut self,
        index: usize,
        value: &Value,
        factor: f64,
    ) -> Result<(usize, Share), GraphError> {
        let (shape, output) = (self.shape(index)?, self.output(0));
        let gradient = reduced(self.tape, value, factor, &shape, &output)?;
        Ok((index, Share::Whole(gradient)))
    }
}

/// A gradient `factor · value` of `output`, summed over the axes along which an input of the shape `shape` was broadcast.
fn reduced(
    tape: &mut Tape,
    value: &Value,
    mut factor: f64,
    shape: &[Length],
    output: &Value,
) -> Result<Gradient, GraphError> {
    let whole = tape.shape(output).to_vec();
    let (rank, missing) = (whole.len(), whole.len() - shape.len());
    let mut value = value.clone();
    let lengths = |tape: &Tape, value: &Value, axis: usize| {
        let have = tape.shape(value);
        (axis + have.len()).checked_sub(rank).map(|axis| have[axis])
    };
    let mut summed = Vec::new();
    for (axis, &length) in whole.iter().enumerate() {
        let target = axis.checked_sub(missing).map_or(Length::ONE, |axis| shape[axis]);
        if target == length {
            continue;
        }
        match (
            lengths(tape, &value, axis).unwrap_or(Length::ONE),
            length.number(),
        ) {
            (Length::ONE, Some(count)) => factor *= count_of(count),
            (Length::ONE, None) => {
                value = ops::expand(tape, &value, &whole, output)?;
                return reduced(tape, &value, factor, shape, output);
            }
            _ => summed.push(axis),
        }
    }
    if !summed.is_empty() {
        let offset = rank - tape.shape(&value).len();
        let axes: Vec<_> = summed.iter().map(|axis| axis - offset).collect();
        value = ops::sum(tape, &value, &axes)?;
    }
    let extra = tape.shape(&value).len().saturating_sub(shape.len());
    if extra > 0 {
        let axes = tape.integers(&ops::signed(&(0..extra).collect::<Vec<_>>()));
        value = tape.node("Squeeze", &[&value, &axes], vec![])?;
    }
    Ok(Gradient::new(value, factor))
}

#[expect(clippy::cast_precision_loss, reason = "tensors have fewer than 2^53 elements")]
pub(crate) fn count_of(count: i64) -> f64 {
    count as f64
}
