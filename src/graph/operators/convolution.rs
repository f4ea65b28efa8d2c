//! Convolutions.

use crate::graph::builder::{GraphBuilder, Value, integer, integers};

/// The settings of a convolution over two axes.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// The step, the same in both axes.
    pub stride: i64,
    /// The padding at the top, the left, the bottom and the right.
    pub padding: [i64; 4],
    /// The number of groups of channels.
    pub groups: i64,
}

impl Convolution {
    /// Stride 1, one group, and the same padding at each side.
    #[must_use]
    pub fn padded(padding: i64) -> Self {
        Self {
            stride: 1,
            padding: [padding; 4],
            groups: 1,
        }
    }

    /// The same with other groups.
    #[must_use]
    pub fn grouped(self, groups: i64) -> Self {
        Self { groups, ..self }
    }

    /// The same with another stride.
    #[must_use]
    pub fn strided(self, stride: i64) -> Self {
        Self { stride, ..self }
    }
}

/// The correlation of `input` `[batch, in, height, width]` with `kernel` `[out, in / groups, y, x]`.
pub fn conv(
    graph: &mut GraphBuilder,
    input: &Value,
    kernel: &Value,
    bias: Option<&Value>,
    settings: Convolution,
) -> Value {
    convolution(graph, "Conv", input, kernel, bias, settings)
}

/// The adjoint of [`conv`]: each element of `input` `[batch, in, height, width]` adds its multiple of `kernel`
/// `[in, out / groups, y, x]` to the output.
pub fn conv_transpose(
    graph: &mut GraphBuilder,
    input: &Value,
    kernel: &Value,
    bias: Option<&Value>,
    settings: Convolution,
) -> Value {
    convolution(graph, "ConvTranspose", input, kernel, bias, settings)
}

fn convolution(
    graph: &mut GraphBuilder,
    operator: &str,
    input: &Value,
    kernel: &Value,
    bias: Option<&Value>,
    settings: Convolution,
) -> Value {
    let inputs: Vec<_> = [input, kernel].into_iter().chain(bias).collect();
    let attributes = vec![
        integers("strides", &[settings.stride; 2]),
        integers("pads", &settings.padding),
        integer("group", settings.groups),
    ];
    graph.node(operator, &inputs, attributes)
}
