//! Labels of a class-conditional generator: a mapping with a second input `label`.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::editor::Models;
use faceplane::graph::operators::{add, matmul, reduce_mean, reshape};
use faceplane::graph::{Axis, GraphBuilder};
use faceplane::latent::standard_normal;
use ndarray::ArrayD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::training::run;
use crate::support::{Client, load, numbers};

const DIM: usize = 4;
const CLASSES: usize = 3;
const PIXELS: usize = 3 * 8 * 8;

#[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
fn weights(seed: u32, rows: usize, columns: usize) -> ArrayD<f32> {
    let numbers = standard_normal(seed, rows * columns);
    let weights = ArrayD::from_shape_vec(vec![rows, columns], numbers).unwrap();
    weights.mapv(|number| number as f32 / 8.0)
}

fn fixed(lengths: &[usize]) -> Vec<Axis> {
    let fixed = lengths.iter().map(|&length| Axis::Fixed(length));
    std::iter::once(Axis::batch()).chain(fixed).collect()
}

fn write(folder: &Path, file: &str, graph: GraphBuilder) {
    std::fs::write(folder.join(file), graph.finish().to_bytes()).unwrap();
}

/// What synthesis multiplies a w code with.
pub(super) fn synthesis_weights() -> ArrayD<f32> {
    weights(2, DIM, PIXELS)
}

/// The folder of a model called `classes`: w = z + a row for the class, and linear images, which a classifier averages.
pub(crate) fn model_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut mapping = GraphBuilder::new("mapping");
    let z = mapping.input("z", &fixed(&[DIM]));
    let label = mapping.input("label", &fixed(&[CLASSES]));
    let table = mapping.constant(&weights(1, CLASSES, DIM));
    let row = matmul(&mut mapping, &label, &table);
    let w = add(&mut mapping, &z, &row);
    mapping.output("w", &w, &fixed(&[DIM]));
    write(folder.path(), "mapping.onnx", mapping);

    let mut synthesis = GraphBuilder::new("synthesis");
    let w = synthesis.input("w", &fixed(&[DIM]));
    let matrix = synthesis.constant(&synthesis_weights());
    let pixels = matmul(&mut synthesis, &w, &matrix);
    let image = reshape(&mut synthesis, &pixels, &[0, 3, 8, 8]);
    synthesis.output("image", &image, &fixed(&[3, 8, 8]));
    write(folder.path(), "synthesis.onnx", synthesis);

    let mut classifier = GraphBuilder::new("classifier");
    let image = classifier.input("image", &fixed(&[3, 8, 8]));
    let means = reduce_mean(&mut classifier, &image, &[1, 2, 3]);
    let scores = reshape(&mut classifier, &means, &[0, 1]);
    classifier.output("scores", &scores, &fixed(&[1]));
    write(folder.path(), "classifier.onnx", classifier);

    let manifest = r#"
        name = "classes"
        [generator]
        mapping = "mapping.onnx"
        synthesis = "synthesis.onnx"
        [[classifiers]]
        file = "classifier.onnx"
        outputs = [{ attribute = "bright", kind = "value", threshold = 0.0 }]
    "#;
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    folder
}

pub(super) fn client(folder: &TempDir) -> Client {
    let model = load(folder.path()).unwrap();
    Client::new(Models::new(vec![model], None).unwrap(), Duration::from_mins(1))
}

/// The code of the only face of a response.
async fn code(client: &Client, uri: &str) -> Value {
    let response = client.get(uri).await;
    assert_eq!(response.status, StatusCode::OK, "{uri}: {}", response.json());
    response.json()["faces"][0]["latent"].clone()
}

#[tokio::test]
async fn a_label_chooses_the_class_and_without_one_the_seed_does() {
    let folder = model_folder();
    let client = client(&folder);
    let model = client.get("/v1/models/classes").await.json();
    assert_eq!(model["classes"], CLASSES);
    let mut codes = Vec::new();
    for class in 0..CLASSES {
        let latent = code(
            &client,
            &format!("/v1/sample?seed=7&space=w&label={class}&format=json"),
        )
        .await;
        assert_eq!(latent["label"], class);
        codes.push(latent);
    }
    assert_ne!(codes[0]["values"], codes[1]["values"]);
    let by_seed = code(&client, "/v1/sample?seed=7&space=w&format=json").await;
    assert_eq!(by_seed, codes[7 % CLASSES]);
    let vector = code(&client, "/v1/sample?seed=7&space=w&label=0,1,0&format=json").await;
    assert_eq!(vector["values"], codes[1]["values"]);
    assert_eq!(vector["label"], json!([0.0, 1.0, 0.0]));
    let mixture = code(&client, "/v1/sample?seed=7&space=w&label=0.5,0.5,0&format=json").await;
    for (index, value) in numbers(&mixture["values"]).into_iter().enumerate() {
        let [first, second] = [0, 1].map(|class: usize| numbers(&codes[class]["values"])[index]);
        assert!((value - f64::midpoint(first, second)).abs() < 1e-6);
    }
    let three = client.get("/v1/sample?seed=6&count=3&format=json").await.json();
    for (class, face) in three["faces"].as_array().unwrap().iter().enumerate() {
        assert_eq!(face["latent"]["label"], class);
    }
}

#[tokio::test]
async fn a_z_code_is_mapped_with_its_label_also_after_an_edit() {
    let folder = model_folder();
    let client = client(&folder);
    let boundary = json!({"normal": [1, 0, 0, 0]});
    let put =
        Request::put("/v1/models/classes/boundaries/bright/z").header("content-type", "application/json");
    client
        .send(put.body(Body::from(boundary.to_string())).unwrap())
        .await;
    let uri = "/v1/edit?seed=4&space=z&label=2&edit=bright:0";
    let file = client.get(uri).await.body;
    let edited = client.get(&format!("{uri}&format=json")).await.json();
    let latent = &edited["faces"][0]["latent"];
    assert_eq!((&latent["space"], &latent["label"]), (&json!("z"), &json!(2)));
    let again = client.post("/v1/sample", json!({"latent": latent})).await;
    assert_eq!(again.pixels(), client.get(uri).await.pixels());
    // The PNG says its label, so that its code is the same face when it is sent back.
    let scored = Request::post("/v1/score").header("content-type", "image/png");
    let scored = client.send(scored.body(Body::from(file)).unwrap()).await.json();
    assert_eq!(&scored["latent"], latent, "{scored}");
    let score = &edited["faces"][0]["scores"]["bright"];
    assert_eq!(&scored["scores"][0]["score"], score);
}

#[tokio::test]
async fn a_label_that_does_not_fit_is_refused_with_what_fits() {
    let folder = model_folder();
    let client = client(&folder);
    let z = json!({"space": "z", "values": [1, 2, 3, 4]});
    let w = json!({"space": "w", "values": [1, 2, 3, 4]});
    for (body, says) in [
        (json!({"seed": 1, "label": 3}), "expected a class from 0 to 2"),
        (json!({"seed": 1, "label": [1, 0]}), "found a label of 2 numbers"),
        (
            json!({"seed": 1, "label": -1}),
            "label: found -1, expected the index",
        ),
        (json!({"seed": 1, "label": [[1, 0, 0]]}), "found a list of lists"),
        (json!({"latent": z}), "found a z code without a label"),
        (
            json!({"latent": w, "label": 1}),
            "label: found it beside a code that is mapped",
        ),
    ] {
        let response = client.post("/v1/sample", body.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let text = response.json().to_string();
        assert!(text.contains(says), "{body}: {text}");
    }
    let response = Client::sketch().get("/v1/sample?seed=1&label=0").await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let text = response.json().to_string();
    assert!(text.contains("model sketch has no classes"), "{text}");
}

#[tokio::test]
async fn training_and_reports_run_on_a_model_with_classes() {
    let folder = model_folder();
    let client = client(&folder);
    for space in ["z", "w"] {
        let body = json!({"attributes": ["bright"], "space": space, "samples": 300, "ratio": 0.2});
        let job = run(&client, "/v1/models/classes/boundaries", body).await;
        assert_eq!(job["status"], "done", "{job}");
        let body = json!({"space": space, "samples": 60, "faces": 6});
        let job = run(&client, "/v1/models/classes/report", body).await;
        assert_eq!(job["status"], "done", "{job}");
    }
}
