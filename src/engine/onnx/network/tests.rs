//! The claims of a network's runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ndarray::{Array2, Array4, Slice, array};

use super::*;
use crate::catalog::{ModelFiles, ModelFolder};
use crate::engine::{Watchdog, test_support};

/// The mapping of the bundled model, and some of its z codes.
fn mapping() -> (Network, Array2<f32>) {
    let files = ModelFiles::read(&ModelFolder::Bundled).unwrap();
    let graph = files.mapping.as_ref().unwrap();
    let network = Network::open(test_support::runtime(), graph, "w").unwrap();
    let values = (0..7 * 64).map(|index: u16| f32::from(index).sin()).collect();
    (network, Array2::from_shape_vec((7, 64), values).unwrap())
}

#[test]
fn the_output_does_not_depend_on_the_largest_batch() {
    let (mut network, codes) = mapping();
    let mut run = |largest_batch| {
        network
            .run_in_batches(&[codes.view().into_dyn()], largest_batch, &[64])
            .unwrap()
    };
    let at_once = run(usize::MAX);
    assert_eq!(at_once.shape(), [7, 64]);
    assert_ne!(
        at_once.index_axis(Axis(0), 0),
        at_once.index_axis(Axis(0), 6),
        "the codes differ"
    );
    for largest_batch in [1, 3, 7] {
        let error = (run(largest_batch) - &at_once).fold(0.0_f32, |most, error| most.max(error.abs()));
        assert!(error < 1e-5, "batches of {largest_batch}: {error}");
    }
}

#[test]
fn an_empty_batch_has_an_empty_output() {
    let (mut network, codes) = mapping();
    let none = codes.slice_axis(Axis(0), Slice::from(..0));
    let output = network
        .run_in_batches(&[none.into_dyn()], usize::MAX, &[64])
        .unwrap();
    assert_eq!(output.shape(), [0, 64]);
}

#[test]
fn an_output_of_another_shape_is_an_error_that_names_both_shapes() {
    let (mut network, codes) = mapping();
    let error = network
        .run_in_batches(&[codes.view().into_dyn()], 3, &[14, 64])
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("mapping.onnx: output \"w\" is [3, 64], expected [3, 14, 64]"),
        "{error}"
    );
}

#[test]
fn a_run_that_never_ends_is_terminated_and_the_next_one_works() {
    let bytes = include_bytes!("../../../../tests/hanging.onnx").as_slice();
    let graph = Graph::new("hanging.onnx".to_owned(), bytes.into());
    let images = |value| Array4::from_elem((2, 3, 256, 256), value);
    let watchdog = Watchdog::default();
    let runtime = test_support::runtime().with_watchdog(watchdog.clone());
    let mut network = Network::open(&runtime, &graph, "scores").unwrap();
    let has_ended = Arc::new(AtomicBool::new(false));
    let checks = std::thread::spawn({
        let has_ended = Arc::clone(&has_ended);
        move || {
            while !has_ended.load(Ordering::Relaxed) {
                watchdog.check(Instant::now() + Duration::from_hours(1));
            }
        }
    });
    let endless = network.run(images(0.0).view());
    has_ended.store(true, Ordering::Relaxed);
    checks.join().unwrap();
    let error = endless.unwrap_err();
    assert!(
        matches!(&error, EngineError::Terminated { network, .. } if network == "hanging.onnx"),
        "{error}"
    );
    let score = network.run(images(-2.0).view()).unwrap();
    assert_eq!(score, array![[-2.0], [-2.0]].into_dyn());
}

#[test]
fn a_value_that_is_not_finite_is_an_error_with_its_index() {
    let (network, mut codes) = mapping();
    codes[[1, 2]] = f32::NAN;
    let error = network.check_finite(codes).unwrap_err();
    assert!(
        matches!(error, EngineError::NotFinite { index: 66, .. }),
        "{error}"
    );
}
