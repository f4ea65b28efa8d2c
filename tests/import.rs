//! `faceplane import`: checkpoints become model folders that the service serves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use faceplane::editor::Models;
use faceplane::graph::{Axis, GraphBuilder, operators};
use faceplane::imaging::decode;
use serde_json::Value;

use crate::checkpoint::pickle_writer::torch_file;
use crate::importing::Fixture;
use crate::support::{Client, load, runtime};

/// Runs `faceplane import` with these arguments in a folder.
fn import(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_faceplane"))
        .arg("import")
        .args(arguments)
        .env("FACEPLANE_ONNXRUNTIME", runtime().path())
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a command that succeeds, and returns what it printed.
fn imported(folder: &Path, arguments: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = import(folder, arguments);
    let (stdout, stderr) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    assert!(status.success(), "{arguments:?}: {stdout}{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
    stdout
}

/// The one line of an error.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = import(folder, arguments);
    let error = String::from_utf8(stderr).unwrap();
    assert!(
        !status.success() && error.lines().count() == 1,
        "{arguments:?}: {error}"
    );
    error
}

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

const GENERATORS: &[&str] = &[
    "genforce-pggan",
    "genforce-stylegan",
    "genforce-stylegan2",
    "interfacegan-pggan",
    "interfacegan-stylegan",
    "interfacegan-stylegan-128",
    "rosinality-converted",
    "rosinality-train",
    "sg2ada-cond",
    "sg2ada-fp16",
    "sg2ada-resnet",
    "sg2ada-skip",
    "sg3-r",
    "sg3-t",
    "tf-pggan",
    "tf-pggan-fused",
    "tf-stylegan1",
    "tf-stylegan1-128",
    "tf-stylegan2",
];

#[test]
fn every_kind_of_checkpoint_becomes_a_model_without_an_option() {
    for name in GENERATORS {
        let Some(fixture) = Fixture::open(name) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = text(fixture.file());
        let printed = imported(folder.path(), &[&file]);
        let serve = printed.lines().last().unwrap();
        let model = serve.split_whitespace().last().unwrap();
        assert!(
            serve.starts_with("serve it: faceplane serve --model "),
            "{name}: {printed}"
        );
        let model = folder.path().join(model);
        let samples = decode(&std::fs::read(model.join("samples.png")).unwrap(), 1 << 20).unwrap();
        let side = load(&model).unwrap().shape().width;
        assert_eq!(
            (samples.width(), samples.height()),
            (2 * side, 2 * side),
            "{name}"
        );
        let report: Value =
            serde_json::from_slice(&std::fs::read(model.join("import.json")).unwrap()).unwrap();
        let digest = report["sources"][0]["sha256"].as_str().unwrap();
        assert_eq!(digest.len(), 64, "{name}: {report}");
        assert_eq!(report.get("without_gradient"), None, "{name}: {report}");
    }
}

#[test]
fn an_encoder_and_an_identity_network_are_added_to_a_model_that_exists() {
    let (Some(encoder), Some(identity)) = (Fixture::open("e4e"), Fixture::open("arcface-iresnet18")) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [encoder, identity] = [encoder, identity].map(|fixture| text(fixture.file()));
    let alone = refused(folder.path(), &[&identity]);
    assert!(alone.contains("--into DIR"), "{alone}");
    imported(folder.path(), &[&encoder, "--name", "faces"]);
    imported(folder.path(), &[&identity, "--into", "faces"]);
    let manifest = std::fs::read_to_string(folder.path().join("faces/manifest.toml")).unwrap();
    assert!(
        manifest.contains("[encoder]") && manifest.contains("[identity]"),
        "{manifest}"
    );
    load(&folder.path().join("faces")).unwrap();
    let again = refused(folder.path(), &[&identity, "--into", "faces"]);
    assert!(again.contains("has [identity] already"), "{again}");
    let unchanged = std::fs::read_to_string(folder.path().join("faces/manifest.toml")).unwrap();
    assert_eq!(unchanged, manifest);
}

#[test]
fn what_cannot_be_imported_is_one_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.pkl"), "These are notes about faces.").unwrap();
    std::fs::create_dir(folder.path().join("taken")).unwrap();
    std::fs::write(folder.path().join("empty.pkl"), b"\x80\x02}.").unwrap();
    for (file, says) in [
        ("nothing.pkl", "cannot be read"),
        ("notes.pkl", "found an unknown format; expected a checkpoint"),
        (
            "empty.pkl",
            "found no tensors; expected the tensors of a known architecture",
        ),
    ] {
        let error = refused(folder.path(), &[file]);
        assert_eq!(error.matches(file).count(), 1, "{error}");
        assert_eq!(error.matches(says).count(), 1, "{error}");
    }
    let Some(fixture) = Fixture::open("sg2ada-skip") else {
        return;
    };
    let file = text(fixture.file());
    let error = refused(folder.path(), &[&file, "--output", "taken"]);
    assert!(error.contains("exists already"), "{error}");
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn published_boundaries_are_copied_into_the_model() {
    let Some(fixture) = Fixture::open("genforce-pggan") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = text(fixture.file());
    let boundaries = folder.path().join("published");
    std::fs::create_dir(&boundaries).unwrap();
    imported(folder.path(), &[&file, "--name", "plain"]);
    let dim = load(&folder.path().join("plain")).unwrap().shape().z_dim;
    let normal = faceplane::catalog::NpyArray {
        shape: vec![1, dim],
        values: (0..dim).map(|index| if index == 3 { 1.0 } else { 0.0 }).collect(),
    };
    let name = "pggan_celebahq_age_boundary.npy";
    std::fs::write(boundaries.join(name), normal.write_f4()).unwrap();
    // A direction in the format of e4e.
    let direction = torch_file(&[1, i64::try_from(dim).unwrap()], &vec![0.5; dim]);
    std::fs::write(boundaries.join("smile_z.pt"), direction).unwrap();
    imported(folder.path(), &["plain", "--boundaries", "published"]);
    imported(
        folder.path(),
        &[&file, "--name", "edited", "--boundaries", "published"],
    );
    for model in ["plain", "edited"] {
        let model = load(&folder.path().join(model)).unwrap();
        let attributes: Vec<_> = model
            .boundaries()
            .iter()
            .map(|boundary| boundary.attribute().to_owned())
            .collect();
        assert_eq!(attributes, ["age", "smile"]);
    }
}

#[test]
fn an_onnx_classifier_is_added_with_the_entry_that_its_graph_suggests() {
    let Some(fixture) = Fixture::open("genforce-pggan") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path(), &[&text(fixture.file()), "--name", "faces"]);
    let mut graph = GraphBuilder::new("classifier");
    let axes = [Axis::batch(), Axis::Fixed(3), Axis::Fixed(32), Axis::Fixed(32)];
    let image = graph.input("image", &axes);
    let mean = operators::reduce_mean(&mut graph, &image, &[1, 2, 3]);
    let score = operators::reshape(&mut graph, &mean, &[0, 1]);
    graph.output("smile", &score, &[Axis::batch(), Axis::Fixed(1)]);
    std::fs::write(folder.path().join("smile.onnx"), graph.finish().to_bytes()).unwrap();
    let printed = imported(folder.path(), &["smile.onnx", "--into", "faces"]);
    assert!(printed.contains("a classifier"), "{printed}");
    let model = load(&folder.path().join("faces")).unwrap();
    assert_eq!(model.outputs().len(), 1);
}

#[tokio::test]
async fn refine_lowers_the_loss_of_an_imported_generator_with_an_imported_encoder() {
    let Some(fixture) = Fixture::open("e4e") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    imported(folder.path(), &[&text(fixture.file()), "--name", "faces"]);
    let models = Models::new(vec![load(&folder.path().join("faces")).unwrap()], None).unwrap();
    let client = Client::new(models, Duration::from_mins(2));
    for seed in 0..20 {
        let picture = client.get(&format!("/v1/sample?seed={seed}&metadata=none")).await;
        let invert = |options: &str| {
            let request = Request::post(format!("/v1/invert?format=json&{options}"));
            let request = request.header("content-type", "image/png");
            client.send(request.body(Body::from(picture.body.clone())).unwrap())
        };
        let encoded = invert("method=encoder").await.json();
        let refined = invert("method=refine&steps=5").await.json();
        let loss = |name: &str| refined["optimization"][name].as_f64();
        assert!(
            loss("loss").unwrap() < loss("initial_loss").unwrap(),
            "{seed}: {refined}"
        );
        assert!(
            refined["mse"].as_f64() < encoded["mse"].as_f64(),
            "{seed}: {refined}"
        );
    }
}
