//! Pooling.

use crate::graph::builder::{GraphBuilder, Value, integers};

/// The means of windows of `side` × `side` pixels, one every `stride` pixels.
pub fn average_pool(graph: &mut GraphBuilder, a: &Value, side: i64, stride: i64) -> Value {
    let attributes = vec![
        integers("kernel_shape", &[side; 2]),
        integers("strides", &[stride; 2]),
    ];
    graph.node("AveragePool", &[a], attributes)
}
