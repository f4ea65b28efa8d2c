//! What is known of a tensor.

use crate::graph::proto::DataType;
use crate::graph::shapes::Length;

/// The type of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The type of its elements.
    pub element: DataType,
    /// The length of each axis.
    pub shape: Vec<Length>,
    /// Its elements, if they are integers that are known: shapes, axes and indices.
    pub integers: Option<Vec<Length>>,
    /// Its elements, if they are a few constant f32 numbers: scales.
    pub floats: Option<Vec<f32>>,
}

impl Tensor {
    /// A tensor of unknown elements.
    #[must_use]
    pub fn new(element: DataType, shape: Vec<Length>) -> Self {
        Self {
            element,
            shape,
            integers: None,
            floats: None,
        }
    }

    /// The same with elements that may be known.
    #[must_use]
    pub fn with_integers(self, integers: Option<Vec<Length>>) -> Self {
        Self { integers, ..self }
    }

    /// Whether derivatives by its elements exist.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(
            self.element,
            DataType::Float | DataType::Double | DataType::Float16 | DataType::Bfloat16
        )
    }
}
