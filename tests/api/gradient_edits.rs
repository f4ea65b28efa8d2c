//! Edits along the gradient of a score: `along=gradient`.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::editor::Models;
use faceplane::graph::{Axis, GraphBuilder};
use ndarray::{ArrayD, IxDyn};
use serde_json::{Value, json};

use crate::support::{Client, load, numbers, phantom, portraits};

/// The portraits model, whose images are small.
fn client() -> Client {
    client_of(&portraits())
}

fn client_of(folder: &Path) -> Client {
    let model = load(folder).unwrap();
    Client::new(Models::new(vec![model], None).unwrap(), Duration::from_mins(5))
}

async fn edited(client: &Client, mut body: Value) -> Value {
    body["along"] = json!("gradient");
    body["format"] = json!("json");
    let response = client.post("/v1/edit", body).await;
    let text = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, StatusCode::OK, "{text}");
    response.json()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn score(face: &Value, attribute: &str) -> f64 {
    number(&face["scores"][attribute])
}

/// The numbers of a face's code.
fn code(face: &Value) -> Vec<f64> {
    fn flat(value: &Value, found: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| flat(value, found)),
            value => found.push(number(value)),
        }
    }
    let mut found = Vec::new();
    flat(&face["latent"]["values"], &mut found);
    found
}

fn shift(response: &Value) -> Vec<f64> {
    let (after, before) = (code(&response["faces"][0]), code(&response["before"]));
    after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect()
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[tokio::test]
async fn a_score_is_reached_along_its_gradient_while_conditions_keep_theirs() {
    let client = Client::new(phantom(), Duration::from_mins(5));
    let body = json!({
        "seed": 3, "conditions": ["age", "gender"], "edits": [{"attribute": "smile", "to_score": 0.9}]
    });
    let response = edited(&client, body).await;
    let walk = &response["walks"][0];
    assert_eq!(walk["reached"], true, "{walk}");
    assert_eq!(walk["end"], "score_reached");
    let (before, after) = (&response["before"], &response["faces"][0]);
    let probability = 1.0 / (1.0 + (-score(after, "smile")).exp());
    assert!((probability - 0.9).abs() < 0.025, "{probability}");
    assert!((probability - number(&walk["after"])).abs() < 1e-3, "{walk}");
    for held in ["age", "gender"] {
        let drift = (score(after, held) - score(before, held)).abs();
        assert!(drift < 0.15, "{held} drifts by {drift}");
        assert_eq!(walk["conditions"][held]["held"], true);
    }
    assert_eq!(response["warnings"], json!([]));
    assert_eq!(response["directions"], json!([]));
}

#[tokio::test]
async fn a_walk_with_conditions_stays_on_the_planes_of_their_boundaries() {
    let client = Client::new(phantom(), Duration::from_mins(5));
    let body = json!({
        "seed": 3, "space": "w", "conditions": ["age", "gender"], "edits": [{"attribute": "smile", "by": 2}]
    });
    let response = edited(&client, body).await;
    let (before, after) = (
        &response["before"]["distances"],
        &response["faces"][0]["distances"],
    );
    for held in ["age", "gender"] {
        let moved = number(&after[held]) - number(&before[held]);
        assert!(moved.abs() < 1e-3, "{held} moves by {moved}");
    }
    // The boundary of the edited attribute is followed, too.
    let moved = number(&after["smile"]) - number(&before["smile"]);
    assert!(moved > 0.8, "smile moves by {moved}");
}

#[tokio::test]
async fn the_path_of_a_trajectory_goes_both_ways_from_the_face() {
    let response = edited(
        &client(),
        json!({
            "seed": 7, "conditions": ["gender"], "edits": [{"attribute": "smile"}],
            "trajectory": {"start": -1, "end": 2, "steps": 4}
        }),
    )
    .await;
    assert_eq!(numbers(&response["positions"]), [-1.0, 0.0, 1.0, 2.0]);
    let faces = response["faces"].as_array().unwrap();
    assert_eq!(faces[1]["latent"], response["before"]["latent"]);
    for pair in faces.windows(2) {
        let (less, more) = (score(&pair[0], "smile"), score(&pair[1], "smile"));
        assert!(less < more, "{less} is not below {more}");
    }
    for face in faces {
        let drift = (score(face, "gender") - score(&response["before"], "gender")).abs();
        assert!(drift < 0.2, "gender drifts by {drift}");
    }
    let lengths: Vec<f64> = response["walks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|walk| number(&walk["length"]))
        .collect();
    assert_eq!(lengths, [2.0, -1.0]);
}

#[tokio::test]
async fn the_gradient_in_each_space_predicts_what_a_move_along_a_boundary_does() {
    let client = client();
    for (space, psi) in [("z", Some(0.7)), ("z", None), ("w", None)] {
        // A short step along the gradient shows its direction d and its length ‖g‖. Another direction n changes the score by ‖g‖ d·n.
        let mut body = json!({"seed": 7, "space": space, "edits": [{"attribute": "smile", "by": 0.02}]});
        body["psi"] = json!(psi);
        if psi.is_none() {
            body.as_object_mut().unwrap().remove("psi");
        }
        let own = edited(&client, body.clone()).await;
        let change =
            |response: &Value| score(&response["faces"][0], "smile") - score(&response["before"], "smile");
        let direction = shift(&own);
        let length = dot(&direction, &direction).sqrt();
        assert!((length - 0.02).abs() < 1e-4, "{space}: {length}");
        for other in ["smile", "age", "gender"] {
            body["edits"] = json!([{"attribute": other, "by": 0.02}]);
            body["format"] = json!("json");
            let moved = client.post("/v1/edit", body.clone()).await.json();
            let expected = change(&own) * dot(&direction, &shift(&moved)) / length.powi(2);
            let (found, scale) = (change(&moved), change(&own).abs());
            assert!(
                (found - expected).abs() < 0.05 * scale,
                "{space} {psi:?} {other}: {found} instead of {expected}, of {scale}"
            );
        }
    }
}

#[tokio::test]
async fn only_the_layers_that_are_named_move() {
    let response = edited(
        &client(),
        json!({"seed": 7, "layers": "2-3", "edits": [{"attribute": "smile", "by": 1}]}),
    )
    .await;
    let shift = shift(&response);
    for (layer, moved) in shift.chunks(256).enumerate() {
        let is_named = (2..=3).contains(&layer);
        assert_eq!(moved.iter().any(|&part| part != 0.0), is_named, "layer {layer}");
    }
    // Each of the two layers moves by 1 in the mean square; the path is hardly bent.
    let length = (dot(&shift, &shift) / 2.0).sqrt();
    assert!((0.9..=1.0 + 1e-6).contains(&length), "{length}");
    assert!(score(&response["faces"][0], "smile") > score(&response["before"], "smile"));
}

#[tokio::test]
async fn a_url_json_and_an_image_with_options_give_the_same_edit() {
    let client = client();
    let uri = "/v1/edit?seed=7&space=w&edit=age:0.5&condition=gender&along=gradient";
    let expected = client.get(uri).await;
    assert_eq!(
        expected.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&expected.body)
    );
    let body = json!({
        "seed": 7, "space": "w", "edits": [{"attribute": "age", "by": 0.5}], "conditions": ["gender"],
        "along": "gradient", "format": "png"
    });
    let by_json = client.post("/v1/conditional-edit", body).await;
    assert_eq!(by_json.pixels(), expected.pixels());
    let face = client.get("/v1/sample?seed=7&space=w").await.body;
    let request = Request::post("/v1/edit?edit=age:0.5&condition=gender&along=gradient")
        .header("content-type", "image/png");
    let by_image = client.send(request.body(Body::from(face.clone())).unwrap()).await;
    assert_eq!(by_image.pixels(), expected.pixels());
    let mut form = Vec::new();
    for (name, value) in [
        ("edit", "age:0.5"),
        ("condition", "gender"),
        ("along", "gradient"),
    ] {
        let field = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend_from_slice(field.as_bytes());
    }
    form.extend_from_slice(
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"face.png\"\r\nContent-Type: image/png\r\n\r\n",
    );
    form.extend_from_slice(&face);
    form.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post("/v1/edit").header("content-type", "multipart/form-data; boundary=b");
    let by_form = client.send(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(by_form.pixels(), expected.pixels());
}

#[tokio::test]
async fn what_a_gradient_cannot_do_is_refused() {
    let client = client();
    for (query, kind, words) in [
        ("edit=smile:1,age:1", "unclear-edit", "several edits"),
        ("edit=smile:to:1", "unclear-edit", "distance to move to"),
        (
            "edit=smile&trajectory=-1:1:3:to",
            "unclear-edit",
            "distance to move to",
        ),
        ("edit=smile:1&unit=deviation", "unclear-edit", "unit"),
        ("edit=smile", "unclear-edit", "no amount"),
        ("edit=smile:1&condition=smile", "no-direction-left", "independent"),
        ("edit=smile:to_score:2", "score-out-of-range", "probability"),
        ("edit=smile:1&layers=0-3&space=w", "latent", "layers"),
    ] {
        let response = client
            .get(&format!("/v1/edit?seed=7&along=gradient&{query}"))
            .await;
        let problem = response.json();
        assert_eq!(
            response.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{query}: {problem}"
        );
        assert!(
            problem["type"].as_str().unwrap().ends_with(kind),
            "{query}: {problem}"
        );
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{query}: {problem}"
        );
    }
    let unknown = client.get("/v1/edit?seed=7&along=gradient&edit=hat:1").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.json()["detail"].as_str().unwrap().contains("smile"));
}

/// The portraits' generator, with the same score for each of `attributes`: the brightness of the image, after an operator.
fn brightness(operator: &str, attributes: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["mapping.onnx", "synthesis.onnx"] {
        std::fs::copy(portraits().join(file), folder.path().join(file)).unwrap();
    }
    let mut manifest =
        "name = \"bright\"\n[generator]\nmapping = \"mapping.onnx\"\nsynthesis = \"synthesis.onnx\"\n"
            .to_owned();
    if !attributes.is_empty() {
        let mut graph = GraphBuilder::new("classifier");
        let axes = [3, 64, 64].map(Axis::Fixed);
        let image = graph.input("image", &[&[Axis::batch()], &axes[..]].concat());
        let mean = graph.node("GlobalAveragePool", &[&image], vec![]);
        let flat = graph.node("Flatten", &[&mean], vec![]);
        let bent = graph.node(operator, &[&flat], vec![]);
        let weights = graph.constant(&ArrayD::from_elem(IxDyn(&[3, attributes.len()]), 1.0_f32));
        let scores = graph.node("MatMul", &[&bent, &weights], vec![]);
        let columns = Axis::Fixed(attributes.len());
        graph.output("scores", &scores, &[Axis::batch(), columns]);
        std::fs::write(folder.path().join("bright.onnx"), graph.finish().to_bytes()).unwrap();
        let outputs: Vec<String> = attributes
            .iter()
            .map(|name| format!("{{ attribute = \"{name}\", kind = \"value\", threshold = 0.0 }}"))
            .collect();
        let outputs = outputs.join(", ");
        manifest.push_str("[[classifiers]]\nfile = \"bright.onnx\"\n");
        manifest.push_str(&["outputs = [", &outputs, "]\n"].concat());
    }
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    folder
}

#[tokio::test]
async fn a_model_without_gradients_says_how_to_make_them() {
    let without_classifier = brightness("Tanh", &[]);
    let without_derivative = brightness("Sinh", &["bright"]);
    for (client, attribute, words) in [
        (Client::sketch(), "smile", "[[classifiers]]"),
        (client_of(without_classifier.path()), "smile", "[[classifiers]]"),
        (client_of(without_derivative.path()), "bright", "Sinh"),
        (client_of(without_derivative.path()), "bright", "bright.onnx"),
    ] {
        let response = client
            .get(&format!("/v1/edit?seed=7&along=gradient&edit={attribute}:1"))
            .await;
        let problem = response.json();
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{words}: {problem}"
        );
    }
    let problem = Client::sketch()
        .get("/v1/edit?seed=7&along=gradient&edit=smile:1")
        .await
        .json();
    assert!(
        problem["type"].as_str().unwrap().ends_with("no-gradient"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_walk_that_cannot_go_on_says_why() {
    let folder = brightness("Tanh", &["bright", "light"]);
    let client = client_of(folder.path());
    let brighter = |target: f64, conditions: Value| json!({"seed": 7, "edits": [{"attribute": "bright", "to_score": target}], "conditions": conditions});
    // What is held has the same gradient.
    let held = edited(&client, brighter(2.0, json!(["light"]))).await;
    // The sum of three tangents is below 3.
    let far = edited(&client, brighter(5.0, json!([]))).await;
    for (response, ends) in [
        (held, &["nothing_left"][..]),
        (far, &["longest_path", "most_points", "no_gradient"]),
    ] {
        let walk = &response["walks"][0];
        assert_eq!(walk["reached"], false, "{walk}");
        assert!(ends.contains(&walk["end"].as_str().unwrap()), "{walk}");
        let warnings = response["warnings"].as_array().unwrap();
        assert!(!warnings.is_empty(), "{response}");
        let (before, after) = (number(&walk["before"]), number(&walk["after"]));
        assert!(after >= before - 1e-6, "{walk}");
    }
}
