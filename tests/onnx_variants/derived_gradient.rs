//! Gradient graphs that are derived from graphs of other number types.

use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::engine::{EngineOptions, Images, LossGradient, QueueLimits, Replicas, open};
use faceplane::graph::proto::{DataType, NodeProto};
use faceplane::graph::{Model, integer};
use faceplane::metrics::Metrics;
use ndarray::Array3;

use crate::onnx_variants::served::folder;
use crate::onnx_variants::tiny::{DIM, SIZE, declare, plain};
use crate::onnx_variants::values::plain_in;
use crate::support::runtime;

/// The loss of two codes and its gradient, by the graph that is derived from a generator z → image.
async fn loss_gradient(synthesis: &Model) -> LossGradient {
    let folder = folder(
        "synthesis = \"synthesis.onnx\"\n[gradient]",
        &[("synthesis.onnx", &synthesis.to_bytes())],
    );
    let files = ModelFiles::read(&ModelFolder::Disk(folder.path().to_owned())).unwrap();
    let options = EngineOptions {
        replicas: Replicas::Count(1),
        queue_limits: QueueLimits {
            capacity: 4,
            longest_wait: std::time::Duration::MAX,
            batch_wait: std::time::Duration::ZERO,
        },
    };
    let engine = open(runtime(), &files, options, &Metrics::new()).unwrap();
    let mut codes = Array3::zeros((2, 1, DIM));
    for (index, value) in codes.iter_mut().enumerate() {
        *value = (f32::from(u16::try_from(index).unwrap()) * 1.7).sin();
    }
    let targets = Images::from_elem((2, 3, SIZE, SIZE), 0.2);
    let mut admission = engine.admit(2).unwrap();
    admission.loss_gradient(codes, targets).await.unwrap()
}

/// The plain generator, which computes in half precision between inputs and outputs in float32.
fn half_inside() -> Model {
    let mut model = plain_in(DataType::Float16);
    let graph = model.graph_mut();
    declare(&mut graph.input, DataType::Float);
    declare(&mut graph.output, DataType::Float);
    let (code, image) = (graph.input[0].name.clone(), graph.output[0].name.clone());
    for node in &mut graph.node {
        let names = node.input.iter_mut().chain(&mut node.output);
        for name in names.filter(|name| **name == code || **name == image) {
            name.push_str("_half");
        }
    }
    let cast = |from: &str, to: &str, element: DataType| NodeProto {
        op_type: "Cast".to_owned(),
        input: vec![from.to_owned()],
        output: vec![to.to_owned()],
        attribute: vec![integer("to", i64::from(i32::from(element)))],
        ..NodeProto::default()
    };
    let first = cast(&code, &format!("{code}_half"), DataType::Float16);
    let last = cast(&format!("{image}_half"), &image, DataType::Float);
    graph.node.insert(0, first);
    graph.node.push(last);
    model
}

#[tokio::test]
async fn a_generator_that_computes_in_half_precision_has_the_gradient_of_the_one_in_float32() {
    let expected = loss_gradient(&plain()).await;
    let found = loss_gradient(&half_inside()).await;
    let apart = (&found.gradient - &expected.gradient)
        .mapv(|value| value * value)
        .sum()
        .sqrt();
    let length = expected.gradient.mapv(|value| value * value).sum().sqrt();
    // Its weights have 11 bits.
    assert!(apart < 0.01 * length && length > 0.0, "{apart} of {length}");
}
