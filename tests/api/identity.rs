//! Similarities of persons before and after edits, by the model's identity graph.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use faceplane::editor::{LoadError, Model, Models};
use serde_json::{Value, json};

use crate::support::{Client, load, numbers};

/// The phantom with `graph` as its identity graph.
fn phantom_with(graph: &str) -> Result<Model, LoadError> {
    let (folder, phantom) = (
        tempfile::tempdir().unwrap(),
        Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom"),
    );
    std::fs::create_dir(folder.path().join("boundaries")).unwrap();
    for file in [
        "mapping.onnx",
        "synthesis.onnx",
        "classifier.onnx",
        "boundaries/smile_w.npy",
        "boundaries/smile_w.json",
        "boundaries/age_w.npy",
        "boundaries/age_w.json",
    ] {
        std::fs::copy(phantom.join(file), folder.path().join(file)).unwrap();
    }
    let output = |name| format!("{{ attribute = \"{name}\", kind = \"logit\", threshold = 0.0 }}");
    let outputs = ["pose", "smile", "age", "gender", "eyeglasses"]
        .map(output)
        .join(", ");
    let manifest = format!(
        "name = \"telling\"\n[generator]\nmapping = \"mapping.onnx\"\nsynthesis = \"synthesis.onnx\"\n\
         [[classifiers]]\nfile = \"classifier.onnx\"\noutputs = [{outputs}]\n\
         [identity]\nfile = \"{graph}\"\n[boundaries]\nfolder = \"boundaries\"\n"
    );
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    load(folder.path())
}

fn client() -> Client {
    let models = Models::new(vec![phantom_with("classifier.onnx").unwrap()], None).unwrap();
    Client::new(models, Duration::from_mins(1))
}

async fn edit(client: &Client, body: Value) -> Value {
    let request = Request::post("/v1/edit").header("content-type", "application/json");
    let request = request.header("accept", "application/json");
    let response = client.send(request.body(Body::from(body.to_string())).unwrap());
    response.await.json()
}

/// The cosine of two faces' scores, for the classifier is the identity graph here.
fn cosine(one: &Value, other: &Value) -> f64 {
    let scores = |face: &Value| -> Vec<f64> {
        let scores = face["scores"].as_object().unwrap();
        scores.values().map(|score| score.as_f64().unwrap()).collect()
    };
    let (one, other) = (scores(one), scores(other));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(&one, &other) / (dot(&one, &one) * dot(&other, &other)).sqrt()
}

#[tokio::test]
async fn an_edit_reports_the_similarity_of_each_face_to_the_original() {
    let client = client();
    let series = json!({"start": -2, "end": 2, "steps": 3});
    let request = json!({"seed": 7, "edits": [{"attribute": "smile"}], "trajectory": series});
    let response = edit(&client, request).await;
    let similarities = numbers(&response["similarities"]);
    assert_eq!(similarities.len(), 3);
    assert!((similarities[1] - 1.0).abs() < 1e-6, "{similarities:?}");
    for (face, similarity) in response["faces"].as_array().unwrap().iter().zip(&similarities) {
        let expected = cosine(&response["before"], face);
        assert!(
            (similarity - expected).abs() < 1e-4,
            "{similarity}, not {expected}"
        );
    }
    assert!(similarities[2] < 0.999, "{similarities:?}");
    let aim = json!({"seed": 7, "edits": [{"attribute": "smile", "to_score": 0.9}], "conditions": ["age"]});
    let response = edit(&client, aim).await;
    assert_eq!(
        numbers(&response["similarities"]).len(),
        1,
        "{}",
        response["warnings"]
    );
}

#[tokio::test]
async fn a_report_has_the_similarities_after_edits() {
    let client = client();
    let body = json!({"space": "w", "samples": 50, "faces": 1, "seed": 7});
    let response = client.post("/v1/models/telling/report", body).await;
    let location = response.header("location").unwrap().to_owned();
    let job = loop {
        let job = client.get(&location).await.json();
        if !["queued", "sampling"].contains(&job["status"].as_str().unwrap()) {
            break job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["samples"], job["samples_done"]);
    let report = client.get(&format!("{location}/report")).await.json();
    let identity = &report["identity"];
    assert_eq!(identity["curves"].as_array().unwrap().len(), 2);
    assert_eq!(numbers(&identity["curves"][0]).len(), 11);
    let names: Vec<_> = report["boundaries"].as_array().unwrap().iter().collect();
    for (index, name) in names.iter().enumerate() {
        let edits = json!([{"attribute": name["attribute"], "by": 3}]);
        let alone = edit(&client, json!({"seed": 7, "space": "w", "edits": edits})).await;
        let (found, expected) = (&identity["plain"][index], &alone["similarities"][0]);
        let apart = (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs();
        assert!(apart < 1e-4, "{found}, not {expected}");
    }
    let page = Request::get(format!("{location}/report")).header("accept", "text/html");
    let page = client.send(page.body(Body::empty()).unwrap()).await;
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("Similarity by the distance from each boundary"));
    assert!(!page.contains("Not measured"));
}

#[test]
fn a_graph_that_gives_no_embeddings_is_refused_at_the_start() {
    let error = phantom_with("synthesis.onnx").err().unwrap().to_string();
    assert!(error.contains("synthesis.onnx"), "{error}");
    let error = phantom_with("nowhere.onnx").err().unwrap().to_string();
    assert!(error.contains("nowhere.onnx"), "{error}");
}
