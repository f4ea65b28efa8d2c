//! Runs graphs in ONNX Runtime, and compares arrays.

use std::collections::BTreeMap;

use faceplane::graph::Model;
use ndarray::{ArrayD, ArrayViewD, IxDyn};
use ort::session::Session;
use ort::value::Tensor;

use crate::support::runtime;

/// A graph that is open in ONNX Runtime.
pub(crate) struct OnnxSession(Session);

impl OnnxSession {
    /// Opens a graph.
    pub(crate) fn open(model: &Model) -> Self {
        let session = Session::builder(runtime().environment())
            .unwrap()
            .with_intra_threads(1)
            .unwrap()
            .commit_from_memory(&model.to_bytes());
        Self(session.unwrap())
    }

    /// The outputs for these inputs, by name.
    pub(crate) fn run(&mut self, inputs: &[(&str, ArrayViewD<'_, f32>)]) -> BTreeMap<String, ArrayD<f32>> {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(name, values)| (*name, Tensor::from_array(values.to_owned()).unwrap()))
            .collect();
        let outputs = self.0.run(inputs).unwrap();
        outputs
            .iter()
            .map(|(name, value)| {
                let values = value.try_extract_array::<f32>().unwrap();
                (name.to_owned(), values.to_owned())
            })
            .collect()
    }

    /// The output `name` for these inputs.
    pub(crate) fn output(&mut self, name: &str, inputs: &[(&str, ArrayViewD<'_, f32>)]) -> ArrayD<f32> {
        let mut outputs = self.run(inputs);
        outputs
            .remove(name)
            .unwrap_or_else(|| panic!("no output {name:?} in {:?}", outputs.keys()))
    }
}

/// Numbers of a bell-like distribution, from −2 to 2.
pub(crate) fn numbers(shape: &[usize], seed: f32) -> ArrayD<f32> {
    let mut index = seed;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        index += 1.0;
        (index * 12.9898).sin() + (index * 78.233).sin()
    })
}

/// Refuses arrays of different shapes, or with a difference above `tolerance`.
pub(crate) fn assert_close(
    what: &str,
    found: ArrayViewD<'_, f32>,
    expected: ArrayViewD<'_, f32>,
    tolerance: f32,
) {
    assert_eq!(found.shape(), expected.shape(), "the shape of {what}");
    let pairs = found.iter().zip(&expected);
    // A NaN differs from every number.
    let apart = pairs.map(|(a, b)| (a - b).abs()).fold(
        0.0,
        |largest: f32, apart| {
            if apart <= largest { largest } else { apart }
        },
    );
    assert!(apart <= tolerance, "{what}: {apart:e} apart");
    println!("{what}: {apart:.1e} apart");
}
