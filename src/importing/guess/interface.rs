//! What can be seen of a network in its graph: the input, the outputs, and the first and last operators.

use crate::graph::Model;
use crate::graph::proto::{
    DataType, DimensionValue, GraphProto, NodeProto, TensorType, TypeValue, ValueInfoProto,
};

/// The input and the outputs of a network that takes images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) input: ImageAxes,
    pub(super) outputs: Vec<Output>,
}

/// The input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageAxes {
    pub(super) element: DataType,
    /// Axes in words, for a comment.
    pub(super) shape: String,
    /// 1 or 3.
    pub(super) channels: usize,
    pub(super) is_nhwc: bool,
    /// Height and width, where the graph fixes both.
    pub(super) size: Option<[usize; 2]>,
    /// Whether the graph begins with arithmetic on the image: it normalizes bytes by itself.
    pub(super) is_normalized: bool,
}

/// An output with fixed axes after the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) name: String,
    /// Axes after the batch.
    pub(super) axes: Vec<usize>,
    /// Whether the graph ends with softmax or sigmoid here.
    pub(super) is_probability: bool,
}

impl Output {
    /// The number of values for each image.
    pub(super) fn values(&self) -> usize {
        self.axes.iter().product()
    }
}

impl Interface {
    /// Reads a graph. `None` if it has not exactly one input of images, or no output with a fixed number of values.
    pub(super) fn read(model: &Model) -> Option<Self> {
        let graph = model.graph();
        let is_weight = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        let mut inputs = graph.input.iter().filter(|input| !is_weight(&input.name));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return None;
        };
        let outputs: Vec<_> = graph
            .output
            .iter()
            .filter_map(|output| read_output(graph, output))
            .collect();
        let input = read_input(graph, input)?;
        (!outputs.is_empty()).then_some(Self { input, outputs })
    }
}

fn read_input(graph: &GraphProto, input: &ValueInfoProto) -> Option<ImageAxes> {
    let tensor = tensor_type(input)?;
    let axes = lengths(tensor);
    let &[_, second, third, fourth] = &axes[..] else {
        return None;
    };
    let is_channels = |axis: Option<usize>| axis.filter(|length| matches!(length, 1 | 3));
    let (channels, is_nhwc, [height, width]) = match (is_channels(second), is_channels(fourth)) {
        (Some(channels), _) => (channels, false, [third, fourth]),
        (None, Some(channels)) => (channels, true, [second, third]),
        (None, None) => return None,
    };
    let words: Vec<_> = axes
        .iter()
        .map(|axis| axis.map_or_else(|| "?".to_owned(), |length| length.to_string()))
        .collect();
    Some(ImageAxes {
        element: DataType::try_from(tensor.elem_type).ok()?,
        shape: format!("[{}]", words.join(", ")),
        channels,
        is_nhwc,
        size: height.zip(width).map(|(height, width)| [height, width]),
        is_normalized: consumer(graph, &input.name)
            .is_some_and(|node| matches!(node.op_type.as_str(), "Sub" | "Div" | "Mul" | "Add")),
    })
}

fn read_output(graph: &GraphProto, output: &ValueInfoProto) -> Option<Output> {
    let (_, rest) = lengths(tensor_type(output)?)
        .split_first()
        .map(|(first, rest)| (*first, rest.to_vec()))?;
    let axes: Option<Vec<_>> = rest.into_iter().collect();
    let producer = graph.node.iter().find(|node| node.output.contains(&output.name));
    // An Identity only gives the output its name.
    let producer = match producer {
        Some(node) if node.op_type == "Identity" => graph
            .node
            .iter()
            .find(|inner| inner.output.first() == node.input.first()),
        other => other,
    };
    Some(Output {
        name: output.name.clone(),
        axes: axes.filter(|axes| !axes.is_empty())?,
        is_probability: producer.is_some_and(|node| matches!(node.op_type.as_str(), "Softmax" | "Sigmoid")),
    })
}

fn consumer<'a>(graph: &'a GraphProto, name: &str) -> Option<&'a NodeProto> {
    graph
        .node
        .iter()
        .find(|node| node.input.iter().any(|input| input == name))
}

fn tensor_type(value: &ValueInfoProto) -> Option<&TensorType> {
    match value.r#type.as_ref()?.value.as_ref()? {
        TypeValue::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

/// The lengths of the axes; `None` for an open one.
fn lengths(tensor: &TensorType) -> Vec<Option<usize>> {
    let axes = tensor.shape.iter().flat_map(|shape| &shape.dim);
    axes.map(|axis| match &axis.value {
        Some(DimensionValue::Length(length)) => usize::try_from(*length).ok().filter(|&length| length > 0),
        Some(DimensionValue::Name(_)) | None => None,
    })
    .collect()
}
