//! The inputs and attributes of a node, as the rules of shapes read them.

use std::collections::HashMap;

use crate::graph::proto::{DataType, NodeProto};
use crate::graph::shapes::{Length, Tensor, describe};

/// A node and the tensors that it takes.
pub(crate) struct Inputs<'a> {
    pub(crate) node: &'a NodeProto,
    tensors: Vec<Option<&'a Tensor>>,
}

impl<'a> Inputs<'a> {
    pub(crate) fn new(node: &'a NodeProto, known: &'a HashMap<String, Tensor>) -> Self {
        Self {
            node,
            tensors: node.input.iter().map(|name| known.get(name)).collect(),
        }
    }

    /// An input. `None` if it is left out or unknown.
    pub(crate) fn tensor(&self, index: usize) -> Option<&'a Tensor> {
        self.tensors.get(index).copied().flatten()
    }

    /// The shape of an input.
    pub(crate) fn shape(&self, index: usize) -> Option<&'a [Length]> {
        Some(&self.tensor(index)?.shape)
    }

    /// The element type of the first input.
    pub(crate) fn element(&self) -> Option<DataType> {
        Some(self.tensor(0)?.element)
    }

    /// All inputs.
    pub(crate) fn all(&self) -> Option<Vec<&'a Tensor>> {
        self.tensors.iter().copied().collect()
    }

    /// The elements of an integer input.
    pub(crate) fn integers(&self, index: usize) -> Option<&'a [Length]> {
        self.tensor(index)?.integers.as_deref()
    }

    /// The elements of an integer input, if none depends on the batch.
    pub(crate) fn numbers(&self, index: usize) -> Option<Vec<i64>> {
        self.integers(index)?
            .iter()
            .map(|length| length.number())
            .collect()
    }

    /// The axes in an input, from 0; `default` if the input is left out.
    pub(crate) fn axes(
        &self,
        index: usize,
        rank: usize,
        default: impl FnOnce() -> Vec<usize>,
    ) -> Option<Vec<usize>> {
        if self.node.input_name(index).is_none() {
            return Some(default());
        }
        let axes = self.numbers(index)?;
        axes.into_iter().map(|axis| self::axis(axis, rank)).collect()
    }

    /// The axis in an attribute, from 0.
    pub(crate) fn axis(&self, default: i64, rank: usize) -> Option<usize> {
        axis(self.node.integer("axis").unwrap_or(default), rank)
    }

    /// The shapes in an error.
    pub(crate) fn describe(&self) -> String {
        let shapes = self.tensors.iter().map(|tensor| match tensor {
            Some(tensor) => describe(&tensor.shape),
            None => "unknown".to_owned(),
        });
        shapes.collect::<Vec<_>>().join(", ")
    }
}

/// An axis that may count from the end, from 0.
pub(crate) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let signed = i64::try_from(rank).ok()?;
    let axis = if axis < 0 { axis + signed } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank)
}
