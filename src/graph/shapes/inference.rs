//! The tensors that nodes make.

use std::collections::HashMap;

use crate::graph::GraphError;
use crate::graph::proto::NodeProto;
use crate::graph::shapes::inputs::Inputs;
use crate::graph::shapes::{Tensor, axes, elementwise, indexing, products, windows};

/// The tensors of a graph, by name.
#[derive(Clone, Debug, Default)]
pub struct Shapes(HashMap<String, Tensor>);

impl Shapes {
    /// Declares an input or a constant.
    pub fn insert(&mut self, name: &str, tensor: Tensor) {
        self.0.insert(name.to_owned(), tensor);
    }

    /// A tensor, if it is known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// Adds the outputs of a node. Its inputs must be known.
    ///
    /// # Errors
    /// [`GraphError`] if the operator has no rule, or if the inputs do not fit it.
    pub fn infer(&mut self, node: &NodeProto) -> Result<(), GraphError> {
        let inputs = Inputs::new(node, &self.0);
        let outputs = rule(&inputs).ok_or_else(|| GraphError::Shape {
            operator: node.op_type.clone(),
            node: node.name.clone(),
            inputs: inputs.describe(),
        })?;
        for (name, tensor) in node.output.iter().zip(outputs) {
            if !name.is_empty() {
                self.0.insert(name.clone(), tensor);
            }
        }
        Ok(())
    }
}

/// The outputs of a node. `None` if there is no rule, or if the inputs do not fit.
fn rule(inputs: &Inputs<'_>) -> Option<Vec<Tensor>> {
    if !matches!(inputs.node.domain.as_str(), "" | "ai.onnx") {
        return None;
    }
    elementwise::rule(inputs)
        .or_else(|| axes::rule(inputs))
        .or_else(|| indexing::rule(inputs))
        .or_else(|| windows::rule(inputs))
        .or_else(|| products::rule(inputs))
}
