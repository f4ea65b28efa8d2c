//! The name and shape of a graph's input or output.

use ndarray::ArrayD;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::catalog::Graph;
use crate::engine::EngineError;

/// An f32 tensor that a graph takes or returns.
#[derive(Clone, Debug)]
pub(crate) struct TensorSpec {
    pub(crate) name: String,
    /// Length of each axis. `None` if the graph leaves it open.
    pub(crate) axes: Vec<Option<usize>>,
    role: TensorRole,
}

/// Whether a tensor is an input or an output.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TensorRole {
    Input,
    Output,
}

impl TensorRole {
    fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

impl TensorSpec {
    /// Reads a tensor's name and shape. An error if it does not hold f32 values.
    pub(crate) fn read(graph: &Graph, role: TensorRole, outlet: &Outlet) -> Result<Self, EngineError> {
        match outlet.dtype() {
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                shape,
                ..
            } => Ok(Self {
                name: outlet.name().to_owned(),
                axes: shape.iter().map(|&axis| usize::try_from(axis).ok()).collect(),
                role,
            }),
            other => Err(EngineError::Tensor {
                file: graph.file.clone(),
                tensor: format!("{} {:?}", role.name(), outlet.name()),
                found: format!("{other:?}"),
                expected: "a float32 tensor".to_owned(),
            }),
        }
    }

    /// The tensor called `name` among the graph's inputs or outputs. An error that names all `required` tensors if there is
    /// none.
    pub(crate) fn find(
        graph: &Graph,
        role: TensorRole,
        outlets: &[Outlet],
        name: &str,
        required: &[&str],
    ) -> Result<Self, EngineError> {
        let outlet = outlets.iter().find(|outlet| outlet.name() == name);
        let outlet = outlet.ok_or_else(|| list_error(graph, role, outlets, &format!("{required:?}")))?;
        Self::read(graph, role, outlet)
    }

    /// The error for a tensor of the wrong shape, as the graph declares it.
    pub(crate) fn shape_error(&self, file: &str, expected: &str) -> EngineError {
        let axes: Vec<_> = self
            .axes
            .iter()
            .map(|axis| axis.map_or("?".to_owned(), |axis| axis.to_string()))
            .collect();
        self.error(file, format!("[{}]", axes.join(", ")), expected)
    }

    /// The error for a tensor of the wrong shape `found`, as a run returned it.
    pub(crate) fn result_error(&self, file: &str, found: &[usize], expected: &str) -> EngineError {
        self.error(file, format!("{found:?}"), expected)
    }

    fn error(&self, file: &str, found: String, expected: &str) -> EngineError {
        EngineError::Tensor {
            file: file.to_owned(),
            tensor: format!("{} {:?}", self.role.name(), self.name),
            found,
            expected: expected.to_owned(),
        }
    }

    /// Zeros for one image or code. `None` if an axis other than the first is open.
    pub(crate) fn zeros(&self) -> Option<ArrayD<f32>> {
        let (_, rest) = self.axes.split_first()?;
        let rest: Vec<_> = rest.iter().copied().collect::<Option<_>>()?;
        Some(ArrayD::zeros([&[1], rest.as_slice()].concat()))
    }
}

/// The error for a graph with the wrong inputs or outputs.
pub(crate) fn list_error(graph: &Graph, role: TensorRole, outlets: &[Outlet], expected: &str) -> EngineError {
    let names: Vec<_> = outlets.iter().map(Outlet::name).collect();
    EngineError::Tensor {
        file: graph.file.clone(),
        tensor: format!("the list of {}s", role.name()),
        found: format!("{names:?}"),
        expected: expected.to_owned(),
    }
}
