//! Graphs with inputs and outputs of other types than float32.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{CowArray, Ix4};

use crate::catalog::{Graph, InputEntry};
use crate::graph::proto::DataType;
use crate::graph::with_float_interface;

/// Whether the values of a network's input are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputType {
    /// They have fractions.
    Float,
    /// They are whole numbers from 0 to 255.
    Uint8,
}

/// The graph with inputs and outputs of float32, and the type that its input had. A file that cannot be read stays as it is: ONNX
/// Runtime says what is wrong with it.
pub(crate) fn as_float(graph: &Graph) -> (Cow<'_, Graph>, InputType) {
    let Ok(converted) = with_float_interface(&graph.bytes) else {
        return (Cow::Borrowed(graph), InputType::Float);
    };
    let input = match converted.input {
        Some(DataType::Uint8) => InputType::Uint8,
        _ => InputType::Float,
    };
    let graph = match converted.bytes {
        None => Cow::Borrowed(graph),
        Some(bytes) => {
            let mut graph = graph.clone();
            graph.bytes = Arc::new(bytes.into());
            Cow::Owned(graph)
        }
    };
    (graph, input)
}

impl InputType {
    /// The manifest's description, with the range of bytes as the default for an input of bytes.
    pub(crate) fn described(self, entry: &InputEntry) -> InputEntry {
        let mut entry = entry.clone();
        if self == Self::Uint8 {
            entry.image_range = entry.image_range.or(Some([0.0, 255.0]));
        }
        entry
    }

    /// Values that the type can hold: halves are rounded up, and values beyond the limits are clipped.
    pub(crate) fn rounded(self, images: CowArray<'_, f32, Ix4>) -> CowArray<'_, f32, Ix4> {
        match self {
            Self::Float => images,
            Self::Uint8 => images.mapv_into(|value| (value + 0.5).floor().clamp(0.0, 255.0)),
        }
    }
}
