//! The keys of scores and landmarks.

use ndarray::{ArrayD, Axis as AxisOf, IxDyn};

use super::{RANGE, SIZE, file, fixed, images, linear, manifest, noise, shape};
use crate::catalog::ClassifierFiles;
use crate::engine::onnx::classifier::OnnxClassifier;
use crate::engine::onnx::classifier_mean::ClassifierMean;
use crate::engine::onnx::landmarker::OnnxLandmarker;
use crate::engine::onnx::network::Network;
use crate::engine::test_support::runtime;
use crate::engine::{Classifier as _, EngineError, Landmarker as _};
use crate::graph::{Axis, GraphBuilder, Model, integer, operators};

/// A classifier with two outputs: `first` with three columns, and `second` with six.
fn two_outputs() -> Model {
    let mut graph = GraphBuilder::new("two");
    let input = graph.input("input", &fixed(&[3, 12, 10]));
    let flat = graph.node("Flatten", &[&input], vec![integer("axis", 1)]);
    for (name, columns) in [("first", 3), ("second", 6)] {
        let values = (0..360 * columns)
            .map(|index| noise(index + columns) / 3.0)
            .collect();
        let matrix = graph.constant(&ArrayD::from_shape_vec(IxDyn(&[360, columns]), values).unwrap());
        let output = operators::matmul(&mut graph, &flat, &matrix);
        graph.output(name, &output, &[Axis::batch(), Axis::Fixed(columns)]);
    }
    graph.finish()
}

/// The tables of classifiers with these outputs.
fn written(tables: &[&str]) -> String {
    let table = |outputs: &&str| format!("[[classifiers]]\nfile = \"network.onnx\"\noutputs = [{outputs}]\n");
    tables.iter().map(table).collect::<Vec<_>>().concat()
}

fn classifiers(model: &Model, tables: &[&str]) -> Result<Vec<OnnxClassifier>, EngineError> {
    let entries = manifest(&written(tables)).classifiers.into_iter();
    entries
        .map(|entry| {
            let graph = file(model);
            OnnxClassifier::open(runtime(), &ClassifierFiles { entry, graph }, &shape(), RANGE)
        })
        .collect()
}

/// What ONNX Runtime says of the images in an output.
fn output(name: &str) -> ArrayD<f64> {
    let mut network = Network::open(runtime(), &file(&two_outputs()), name).unwrap();
    network.run(images(3).view()).unwrap().mapv(f64::from)
}

/// One score for each image.
fn score(outputs: &str) -> Vec<f64> {
    let mut classifiers = classifiers(&two_outputs(), &[outputs]).unwrap();
    let scores = classifiers[0].score(images(3).view()).unwrap();
    assert_eq!(scores.ncols(), 1);
    scores.iter().copied().map(f64::from).collect()
}

fn assert_scores(outputs: &str, expected: impl Fn(&[f64], &[f64]) -> f64) {
    let (first, second) = (output("first"), output("second"));
    for (image, found) in score(outputs).into_iter().enumerate() {
        let row = |output: &ArrayD<f64>| {
            output
                .index_axis(AxisOf(0), image)
                .iter()
                .copied()
                .collect::<Vec<_>>()
        };
        let expected = expected(&row(&first), &row(&second));
        assert!(
            (found - expected).abs() < 1e-4,
            "{outputs}: {found} is not {expected}"
        );
    }
}

fn softmax(values: &[f64], column: usize) -> f64 {
    values[column].exp() / values.iter().map(|value| value.exp()).sum::<f64>()
}

#[test]
fn single_columns_of_outputs_by_name_are_read_and_the_rest_ignored() {
    let outputs = "{attribute = \"smile\", kind = \"logit\", threshold = 0, output = \"second\", column = 4}";
    assert_scores(outputs, |_, second| second[4]);
    let outputs = "{attribute = \"smile\", kind = \"logit\", threshold = 0, column = 1}";
    assert_scores(outputs, |first, _| first[1]);
    let mut several = classifiers(
        &two_outputs(),
        &[
            "{attribute = \"a\", kind = \"logit\", threshold = 0, output = \"second\", column = 5}, \
           {attribute = \"b\", kind = \"logit\", threshold = 0, output = \"first\", column = 0}",
        ],
    )
    .unwrap();
    let scores = several[0].score(images(3).view()).unwrap();
    let expected = [output("second")[[1, 5]], output("first")[[1, 0]]];
    for (found, expected) in scores.row(1).iter().zip(expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-4,
            "{found} is not {expected}"
        );
    }
}

#[test]
fn softmax_and_sigmoid_make_probabilities() {
    let entry = |keys: &str| format!("{{attribute = \"smile\", threshold = 0.5, {keys}}}");
    assert_scores(
        &entry("kind = \"probability\", column = 2, activation = \"sigmoid\""),
        |first, _| 1.0 / (1.0 + (-first[2]).exp()),
    );
    assert_scores(
        &entry("kind = \"probability\", column = 2, activation = \"softmax\""),
        |first, _| softmax(first, 2),
    );
    assert_scores(
        &entry(
            "kind = \"probability\", output = \"second\", column = 3, columns = [2, 3], activation = \"softmax\"",
        ),
        |_, second| softmax(&second[2..4], 1),
    );
    assert_scores(
        &entry("kind = \"logit\", column = 0, activation = \"softmax\""),
        |first, _| {
            let probability = softmax(first, 0);
            (probability / (1.0 - probability)).ln()
        },
    );
}

#[test]
fn an_expected_value_runs_over_the_bins() {
    let entry = |keys: &str| format!("{{attribute = \"age\", kind = \"value\", threshold = 35, {keys}}}");
    let mean = |values: &[f64], bins: &[f64]| -> f64 {
        (0..bins.len())
            .map(|column| softmax(values, column) * bins[column])
            .sum()
    };
    assert_scores(
        &entry("output = \"second\", activation = \"softmax\", bins = {first = 10, step = 12.5}"),
        |_, second| mean(second, &[10.0, 22.5, 35.0, 47.5, 60.0, 72.5]),
    );
    assert_scores(
        &entry("output = \"second\", activation = \"softmax\", columns = [1, 2, 3], bins = [1, 5, 80]"),
        |_, second| mean(&second[1..4], &[1.0, 5.0, 80.0]),
    );
    assert_scores(&entry("bins = [1, 2, 3]"), |first, _| {
        first[0] + 2.0 * first[1] + 3.0 * first[2]
    });
}

#[test]
fn several_tables_score_one_attribute_by_their_mean() {
    let logit = |attribute: &str, column: usize| {
        format!("{{attribute = \"{attribute}\", kind = \"logit\", threshold = 0, column = {column}}}")
    };
    let tables = [
        format!("{}, {}", logit("smile", 0), logit("age", 1)),
        logit("smile", 2),
    ];
    let tables: Vec<_> = tables.iter().map(String::as_str).collect();
    let entries = manifest(&written(&tables));
    let outputs = entries.classifiers.iter().flat_map(|entry| &entry.outputs);
    let mut mean = ClassifierMean::new(classifiers(&two_outputs(), &tables).unwrap(), outputs);
    let scores = mean.score(images(3).view()).unwrap();
    let first = output("first");
    assert_eq!(scores.dim(), (3, 2));
    for image in 0..3 {
        let expected = [
            f64::midpoint(first[[image, 0]], first[[image, 2]]),
            first[[image, 1]],
        ];
        for (found, expected) in scores.row(image).iter().zip(expected) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-4,
                "{found} is not {expected}"
            );
        }
    }
}

#[test]
fn columns_that_the_output_does_not_have_are_refused_with_what_to_change() {
    let cases = [
        ("column = 3", "[batch, 4] or more columns"),
        ("output = \"third\", column = 3", "[\"third\"]"),
        ("kind = \"logit\"", "name the column of each with column"),
        (
            "kind = \"value\", bins = [1, 2]",
            "2 columns, one for each of the bins",
        ),
    ];
    for (keys, expected) in cases {
        let kind = if keys.contains("kind") {
            ""
        } else {
            "kind = \"logit\", "
        };
        let outputs = format!("{{attribute = \"a\", threshold = 0, {kind}{keys}}}");
        let error = classifiers(&two_outputs(), &[&outputs])
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(expected), "{keys}: {error}");
    }
}

#[test]
fn landmarks_are_chosen_among_points_and_scaled_from_pixels() {
    let model = linear(&fixed(&[3, 12, 10]), 21);
    let keys = "coordinates = \"xyz\"\nunit = \"pixels\"\npoints = [[0, 1], 2, 3, 6, 5]";
    let entry = manifest(&format!("[landmarks]\nfile = \"network.onnx\"\n{keys}")).landmarks;
    let mut landmarker = OnnxLandmarker::open(runtime(), &file(&model), &entry.unwrap()).unwrap();
    assert_eq!(landmarker.size(), SIZE);
    let mut network = Network::open(runtime(), &file(&model), "output").unwrap();
    let points = network.run(images(1).view()).unwrap();
    let point = |index: usize, axis: usize| points[[0, 3 * index + axis]] / [10.0, 12.0][axis];
    let landmarks = landmarker.landmarks(images(1).view()).unwrap();
    for axis in 0..2 {
        let expected = [
            f32::midpoint(point(0, axis), point(1, axis)),
            point(2, axis),
            point(3, axis),
            point(6, axis),
            point(5, axis),
        ];
        for (found, expected) in landmarks.column(axis).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
    }
}
