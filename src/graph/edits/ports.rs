//! The inputs and outputs of a graph.

use std::collections::BTreeSet;

use crate::graph::Model;
use crate::graph::proto::{DataType, DimensionValue, TypeValue, ValueInfoProto};

/// An input or an output of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its elements.
    pub element: DataType,
    /// The length of each axis, or `None` for an open one. `None` if the graph does not say how many axes there are.
    pub axes: Option<Vec<Option<usize>>>,
}

impl Port {
    fn new(value: &ValueInfoProto) -> Self {
        let tensor = match value.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
            Some(TypeValue::Tensor(tensor)) => Some(tensor),
            _ => None,
        };
        let length = |value: &Option<DimensionValue>| match value {
            Some(DimensionValue::Length(length)) => usize::try_from(*length).ok(),
            _ => None,
        };
        let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
        Self {
            name: value.name.clone(),
            element: tensor
                .and_then(|tensor| DataType::try_from(tensor.elem_type).ok())
                .unwrap_or(DataType::Undefined),
            axes: shape.map(|shape| shape.dim.iter().map(|dim| length(&dim.value)).collect()),
        }
    }
}

/// The inputs that a run must give: those without a default.
#[must_use]
pub fn inputs(model: &Model) -> Vec<Port> {
    let graph = model.graph();
    let defaults: BTreeSet<_> = graph.initializer.iter().map(|tensor| &tensor.name).collect();
    let required = graph.input.iter().filter(|input| !defaults.contains(&input.name));
    required.map(Port::new).collect()
}

/// The outputs.
#[must_use]
pub fn outputs(model: &Model) -> Vec<Port> {
    model.graph().output.iter().map(Port::new).collect()
}

/// Makes weights of old files, which had to be inputs with defaults, constants.
pub fn drop_defaults(model: &mut Model) {
    /// The first version of the file format in which an initializer need not be an input.
    const FREE_INITIALIZERS: i64 = 4;
    if model.proto().ir_version >= FREE_INITIALIZERS {
        return;
    }
    let required: BTreeSet<_> = inputs(model).into_iter().map(|input| input.name).collect();
    model
        .graph_mut()
        .input
        .retain(|input| required.contains(&input.name));
    model.set_ir_version(FREE_INITIALIZERS);
}
