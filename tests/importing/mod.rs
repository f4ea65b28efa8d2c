//! Checkpoints of published architectures: what the imported graphs compute, beside what the original programs recorded.

mod encoders;
pub(crate) mod fixture;
mod flat_files;
mod generator;
mod progressive;
mod stylegan2;
mod stylegan3;
mod styles;
mod wrong_tensors;

pub(crate) use fixture::Fixture;

use faceplane::graph::{Axis, GraphBuilder, operators};
use ndarray::ArrayD;

use crate::onnx_session::{OnnxSession, assert_close};

#[test]
fn an_optional_input_has_its_default_in_runs_that_do_not_give_it() {
    let axes = [Axis::batch(), Axis::Fixed(2)];
    let mut graph = GraphBuilder::new("sum");
    let a = graph.input("a", &axes);
    let zero = ArrayD::zeros(vec![1, 2]);
    let b = graph.optional_input("b", &axes, &zero);
    let sum = operators::add(&mut graph, &a, &b);
    graph.output("sum", &sum, &axes);
    let mut session = OnnxSession::open(&graph.finish());
    let a = ArrayD::from_shape_vec(vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let alone = session.output("sum", &[("a", a.view())]);
    assert_close("a + 0", alone.view(), a.view(), 0.0);
    let both = session.output("sum", &[("a", a.view()), ("b", a.view())]);
    assert_close("a + a", both.view(), (&a * 2.0).view(), 0.0);
}
