//! The graph of the mapping network: z, and a label if there are classes, → w.

use crate::graph::operators::{add, concat, leaky_relu, matmul};
use crate::graph::{Axis, GraphBuilder, Model, Value};
use crate::importing::normalization::normalized_codes;
use crate::importing::stylegan2::generator::{Dense, Mapping, SLOPE};

/// `z` `[batch, z_dim]` and, if there are classes, `label` `[batch, classes]` → `w` `[batch, w_dim]`.
pub(super) fn build(mapping: &Mapping) -> Model {
    let mut graph = GraphBuilder::new("mapping");
    let z = graph.input("z", &[Axis::batch(), Axis::Fixed(mapping.z_dim())]);
    let mut value = match &mapping.label {
        None => normalized_codes(&mut graph, &z),
        Some(label) => {
            let given = graph.input("label", &[Axis::batch(), Axis::Fixed(mapping.classes())]);
            let embedded = dense(&mut graph, &given, &label.embedding);
            if label.normalized_separately {
                let (z, embedded) = (
                    normalized_codes(&mut graph, &z),
                    normalized_codes(&mut graph, &embedded),
                );
                concat(&mut graph, &[&z, &embedded], 1)
            } else {
                let both = concat(&mut graph, &[&z, &embedded], 1);
                normalized_codes(&mut graph, &both)
            }
        }
    };
    for layer in &mapping.layers {
        value = dense(&mut graph, &value, layer);
        value = leaky_relu(&mut graph, &value, SLOPE);
    }
    graph.output("w", &value, &[Axis::batch(), Axis::Fixed(mapping.w_dim())]);
    graph.finish()
}

/// weight · input + bias, for each row.
pub(super) fn dense(graph: &mut GraphBuilder, input: &Value, layer: &Dense) -> Value {
    let weight = graph.constant(&layer.weight.t());
    let bias = graph.constant(&layer.bias);
    let product = matmul(graph, input, &weight);
    add(graph, &product, &bias)
}
