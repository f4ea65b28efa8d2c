//! ONNX files as people have them: each variant of an export is served, and is equal to the plain graph.

mod adopted;
mod derived_gradient;
mod served;
mod tiny;
mod values;

use faceplane::catalog::{ModelFiles, ModelFolder};
use faceplane::graph::proto::StringStringEntryProto;
use faceplane::graph::{Axis, GraphBuilder, Model, operators, scalar};
use served::{faces, folder, folder_of, plain_faces};
use tiny::{DIM, SIZE, axes, plain};

use crate::process::{Service, program, refusal};

/// The files of a model with its weights beside the graph, as PyTorch writes them.
fn with_external_weights(mut model: Model, location: &str) -> (Vec<u8>, Vec<u8>) {
    let mut data = Vec::new();
    for tensor in &mut model.graph_mut().initializer {
        let entry = |key: &str, value: String| StringStringEntryProto {
            key: key.to_owned(),
            value,
        };
        if tensor.raw_data.len() < 64 {
            continue;
        }
        tensor.external_data = vec![
            entry("location", location.to_owned()),
            entry("offset", data.len().to_string()),
            entry("length", tensor.raw_data.len().to_string()),
        ];
        tensor.data_location = 1;
        data.append(&mut tensor.raw_data);
    }
    (model.to_bytes(), data)
}

#[test]
fn weights_beside_the_graph_are_served_from_any_working_directory() {
    let (graph, data) = with_external_weights(plain(), "synthesis.onnx.data");
    let files = [
        ("parts/synthesis.onnx", graph.as_slice()),
        ("parts/synthesis.onnx.data", &data),
    ];
    let folder = folder("synthesis = \"parts/synthesis.onnx\"", &files);
    assert_eq!(faces(folder.path()).unwrap(), plain_faces());
    let elsewhere = tempfile::tempdir().unwrap();
    let service = Service::start(
        program()
            .current_dir(elsewhere.path())
            .arg("--model")
            .arg(folder.path()),
    );
    assert!(
        service
            .get("/v1/sample?seed=1&model=tiny")
            .starts_with("HTTP/1.1 200")
    );
    service.end();
}

#[test]
fn the_digest_covers_the_weights_beside_the_graph() {
    let (graph, mut data) = with_external_weights(plain(), "weights.bin");
    let digests = |data: &[u8]| {
        let files = [("synthesis.onnx", graph.as_slice()), ("weights.bin", data)];
        let folder = folder("synthesis = \"synthesis.onnx\"", &files);
        let files = ModelFiles::read(&ModelFolder::Disk(folder.path().to_owned())).unwrap();
        (files.generator_digest(), files.digest)
    };
    let before = digests(&data);
    assert_eq!(before, digests(&data));
    data[9] ^= 1;
    let after = digests(&data);
    assert_ne!(before.0, after.0);
    assert_ne!(before.1, after.1);
}

#[test]
fn weights_outside_the_folder_or_missing_are_errors_that_name_them() {
    for location in ["../secret", "/etc/passwd", "a/../../secret", ""] {
        let (graph, _) = with_external_weights(plain(), location);
        let folder = folder("synthesis = \"g.onnx\"", &[("g.onnx", graph.as_slice())]);
        let error = faces(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("g.onnx: found") && error.contains("without \"..\""),
            "{error}"
        );
    }
    let (graph, _) = with_external_weights(plain(), "g.onnx.data");
    let folder = folder("synthesis = \"g.onnx\"", &[("g.onnx", graph.as_slice())]);
    let error = faces(folder.path()).unwrap_err().to_string();
    assert!(error.contains("g.onnx.data: cannot be read"), "{error}");
}

#[test]
fn a_graph_of_any_fixed_batch_is_filled_up() {
    let expected = plain_faces();
    for batch in [1, 3, 4, 5] {
        let mut model = plain();
        let graph = model.graph_mut();
        let fixed = |axes: &[usize]| {
            let fixed = std::iter::once(&batch)
                .chain(axes)
                .map(|&length| Axis::Fixed(length));
            fixed.collect::<Vec<_>>()
        };
        graph.input = vec![faceplane::graph::float_value("z", &fixed(&[DIM]))];
        graph.output = vec![faceplane::graph::float_value("image", &fixed(&[3, SIZE, SIZE]))];
        assert_eq!(
            faces(folder_of(&model).path()).unwrap(),
            expected,
            "batch {batch}"
        );
    }
}

#[test]
fn the_size_of_the_images_is_measured_where_the_graph_leaves_it_open() {
    let mut model = plain();
    let open = ["height", "width"].map(|name| Axis::Open(name.to_owned()));
    let image = [vec![Axis::batch(), Axis::Fixed(3)], open.to_vec()].concat();
    model.graph_mut().output = vec![faceplane::graph::float_value("image", &image)];
    let expected = plain_faces();
    assert_eq!(faces(folder_of(&model).path()).unwrap(), expected);
}

#[test]
fn random_noise_in_a_graph_is_refused_when_it_is_loaded() {
    let mut graph = GraphBuilder::new("noisy");
    let z = graph.input("z", &axes(&[DIM]));
    let noise = graph.node("RandomNormalLike", &[&z], vec![]);
    let z = operators::add(&mut graph, &z, &noise);
    let image = tiny::synthesis(&mut graph, &[z.clone(), z.clone(), z], 3);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let folder = folder_of(&graph.finish());
    let error = refusal(program().arg("--model").arg(folder.path()));
    assert!(
        error.contains("synthesis.onnx")
            && error.contains("RandomNormalLike")
            && error.contains("faceplane import"),
        "{error}"
    );
}

#[test]
fn nan_in_the_first_faces_is_an_error_when_the_model_is_loaded() {
    let mut graph = GraphBuilder::new("broken");
    let z = graph.input("z", &axes(&[DIM]));
    let image = tiny::synthesis(&mut graph, &[z.clone(), z.clone(), z], 3);
    // The root of a negative number is NaN.
    let minus = graph.constant(&scalar(-2.0));
    let negative = operators::add(&mut graph, &image, &minus);
    let image = operators::sqrt(&mut graph, &negative);
    graph.output("image", &image, &axes(&[3, SIZE, SIZE]));
    let error = faces(folder_of(&graph.finish()).path()).unwrap_err().to_string();
    assert!(error.contains("synthesis.onnx: the face of seed 0"), "{error}");
}
