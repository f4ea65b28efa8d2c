//! `/v1/edit` and `/v1/conditional-edit`.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::imaging::{Image, decode};
use serde_json::{Value, json};

use crate::support::{Client, LAYERS, numbers};

fn distance(face: &Value, attribute: &str) -> f64 {
    face["distances"][attribute].as_f64().unwrap()
}

/// The decoded image of a face in JSON.
fn pixels(face: &Value) -> Image {
    let file = STANDARD.decode(face["image"].as_str().unwrap()).unwrap();
    decode(&file, 1 << 20).unwrap()
}

async fn edited(client: &Client, path: &str, mut body: Value) -> Value {
    body["format"] = json!("json");
    let response = client.post(path, body).await;
    assert_eq!(
        response.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    response.json()
}

#[tokio::test]
async fn an_edit_by_an_amount_changes_the_distance_by_that_amount() {
    let body = json!({"seed": 7, "edits": [{"attribute": "smile", "by": 2.0}]});
    let response = edited(&Client::sketch(), "/v1/edit", body).await;
    let change = distance(&response["faces"][0], "smile") - distance(&response["before"], "smile");
    assert!((change - 2.0).abs() < 1e-6, "{change}");
    assert_eq!(response["directions"][0]["retained"], 1.0);
}

#[tokio::test]
async fn an_edit_to_a_distance_ends_at_that_distance() {
    let body =
        json!({"seed": 7, "edits": [{"attribute": "age", "to": -1.5}, {"attribute": "smile", "to": 1.0}]});
    let response = edited(&Client::sketch(), "/v1/edit", body).await;
    assert!((distance(&response["faces"][0], "age") + 1.5).abs() < 1e-6);
    assert!((distance(&response["faces"][0], "smile") - 1.0).abs() < 1e-6);
}

#[tokio::test]
async fn a_condition_holds_a_distance_that_the_plain_edit_changes() {
    let client = Client::sketch();
    let body = json!({"seed": 7, "space": "z", "edits": [{"attribute": "age", "by": 2.0}]});
    let plain = edited(&client, "/v1/edit", body.clone()).await;
    let drift = distance(&plain["faces"][0], "smile") - distance(&plain["before"], "smile");
    assert!(
        (drift - 1.2).abs() < 1e-6,
        "0.6 of each step goes along smile, found {drift}"
    );

    let mut body = body;
    body["conditions"] = json!(["smile"]);
    let held = edited(&client, "/v1/conditional-edit", body).await;
    let drift = distance(&held["faces"][0], "smile") - distance(&held["before"], "smile");
    assert!(drift.abs() < 1e-6, "{drift}");
    let steering = &held["directions"][0];
    assert!((steering["retained"].as_f64().unwrap() - 0.8).abs() < 1e-12);
    assert!(steering["cosines"]["smile"].as_f64().unwrap().abs() < 1e-12);
}

#[tokio::test]
async fn a_url_and_a_body_can_ask_for_the_same_edit() {
    // Two services, because one would take the second response from its cache.
    let (client, other) = (Client::sketch(), Client::sketch());
    let cases = [
        (
            "/v1/edit?seed=7&edit=smile:2&edit=age:to:-1",
            json!({"seed": 7, "edits": [{"attribute": "smile", "by": 2}, {"attribute": "age", "to": -1}]}),
        ),
        (
            "/v1/conditional-edit?seed=7&edit=age:2&condition=smile&space=z&psi=0.7&truncation_layers=2",
            json!({
                "seed": 7, "edits": [{"attribute": "age", "by": 2}], "conditions": ["smile"], "space": "z", "psi": 0.7,
                "truncation_layers": 2
            }),
        ),
        (
            "/v1/edit?seed=7&edit=smile:2@0-1&edit=age:to:-1@2&unit=deviation&layers=1",
            json!({
                "seed": 7, "unit": "deviation", "layers": "1",
                "edits": [{"attribute": "smile", "by": 2, "layers": "0-1"}, {"attribute": "age", "to": -1, "layers": "2"}]
            }),
        ),
        (
            "/v1/edit?seed=7&edit=smile&trajectory=-2:2:5:to&layout=strip&layers=0-1",
            json!({
                "seed": 7, "edits": [{"attribute": "smile"}], "layout": "strip", "layers": "0-1",
                "trajectory": {"start": -2, "end": 2, "steps": 5, "move": "to"}
            }),
        ),
    ];
    for (uri, body) in cases {
        let path = uri.split('?').next().unwrap();
        let by_url = client.get(uri).await;
        assert_eq!(
            by_url.status,
            StatusCode::OK,
            "{uri}: {}",
            String::from_utf8_lossy(&by_url.body)
        );
        assert_eq!(by_url.body, other.post(path, body).await.body, "{uri}");
    }
}

#[tokio::test]
async fn a_trajectory_gives_a_face_for_each_position() {
    let client = Client::sketch();
    let uri = "/v1/edit?seed=7&edit=smile&trajectory=-3:3:7";
    let (width, height, _) = client.get(uri).await.pixels();
    assert_eq!((width, height), (3 * 8, 3 * 8));
    let response = client.get(&format!("{uri}&format=json")).await.json();
    assert_eq!(
        numbers(&response["positions"]),
        [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    );
    let faces = response["faces"].as_array().unwrap();
    for (face, position) in faces.iter().zip([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]) {
        let change = distance(face, "smile") - distance(&response["before"], "smile");
        assert!((change - position).abs() < 1e-6, "{change} at {position}");
    }
    assert_eq!(pixels(&faces[3]), pixels(&response["before"]), "a move by 0");
    assert_ne!(pixels(&faces[4]), pixels(&response["before"]), "a move by 1");
}

#[tokio::test]
async fn an_edit_of_some_layers_moves_only_these_layers_of_w_plus() {
    let body = json!({"seed": 7, "edits": [{"attribute": "smile", "by": 2.0}], "layers": "1"});
    let response = edited(&Client::sketch(), "/v1/edit", body).await;
    let rows = |face: &Value| -> Vec<Vec<f64>> {
        assert_eq!(face["latent"]["space"], "w+");
        face["latent"]["values"]
            .as_array()
            .unwrap()
            .iter()
            .map(numbers)
            .collect()
    };
    let (before, after) = (rows(&response["before"]), rows(&response["faces"][0]));
    for layer in 0..LAYERS {
        let change = after[layer][3] - before[layer][3];
        let expected = if layer == 1 { 2.0 } else { 0.0 };
        assert!(
            (change - expected).abs() < 1e-6,
            "layer {layer} moves by {change}"
        );
    }
}

#[tokio::test]
async fn an_edit_that_leaves_the_range_of_the_samples_has_a_warning() {
    let client = Client::sketch();
    let near = client.get("/v1/edit?seed=7&edit=smile:to:1").await;
    assert_eq!(near.header("faceplane-warnings"), None);
    for (distance, words) in [(4, "beyond 3"), (-6, "beyond 5")] {
        let far = client
            .get(&format!("/v1/edit?seed=7&edit=smile:to:{distance}"))
            .await;
        let warning = far.header("faceplane-warnings").expect("a warning");
        assert!(
            warning.contains("smile is moved to the distance") && warning.contains(words),
            "{warning}"
        );
    }
    let json = client
        .get("/v1/edit?seed=7&edit=smile:to:4&format=json")
        .await
        .json();
    assert!(json["warnings"][0].as_str().unwrap().contains("beyond 3"));
}

#[tokio::test]
async fn a_face_far_along_its_way_has_a_warning_although_no_boundary_is_far() {
    let client = Client::sketch();
    // Held to age, the direction has a cosine of 0.8 with the normal of smile: by 3.4 is a distance of 2.7.
    for (edit, warns) in [
        ("edit=smile:2.5&condition=age", false),
        ("edit=smile:3.4&condition=age", true),
        ("edit=smile:0&condition=age", false),
    ] {
        let response = client.get(&format!("/v1/edit?latent=w:0,0,0,0&{edit}")).await;
        let warning = response.header("faceplane-warnings").unwrap_or_default();
        assert_eq!(
            warning.contains("along its way, the face is moved to 3.4 standard deviations"),
            warns,
            "{edit}: {warning}"
        );
    }
}

/// A w code of the sketch, 7 units on the positive side of smile.
const FAR: &str = "latent=w:0,0,0,7";

#[tokio::test]
async fn an_edit_warns_only_if_it_moves_the_face_farther_out() {
    let client = Client::sketch();
    for (edit, warns) in [
        ("smile:0", false),
        ("smile:-2", false),
        ("smile:0.001", false),
        ("smile:1", true),
    ] {
        let response = client.get(&format!("/v1/edit?{FAR}&edit={edit}")).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.header("faceplane-warnings").is_some(), warns, "{edit}");
    }
}

#[tokio::test]
async fn amounts_count_in_the_unit_of_the_request() {
    let client = Client::sketch();
    let file = json!({"attribute": "grin", "space": "w", "normal": [0.0, 0.0, 2.5, 0.0]});
    let put = axum::http::Request::put("/v1/models/sketch/boundaries/grin/w")
        .header("content-type", "application/json");
    let put = client.send(put.body(file.to_string().into()).unwrap()).await;
    assert_eq!(
        put.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&put.body)
    );
    let model = client.get("/v1/models/sketch").await.json();
    let boundaries = model["boundaries"].as_array().unwrap();
    let grin = boundaries.iter().find(|one| one["attribute"] == "grin").unwrap();
    let deviation = grin["distances"]["deviation"].as_f64().unwrap();
    assert!(
        (deviation - 1.0).abs() < 0.05,
        "the mapping only reverses z, found {deviation}"
    );
    for (unit, expected) in [("distance", 1.0), ("deviation", deviation), ("file", 2.5)] {
        let body = json!({"seed": 7, "edits": [{"attribute": "grin", "by": 2.0}], "unit": unit});
        let response = edited(&client, "/v1/edit", body).await;
        let change = distance(&response["faces"][0], "grin") - distance(&response["before"], "grin");
        assert!((change - 2.0 * expected).abs() < 1e-6, "{unit}: {change}");
        assert!((response["directions"][0]["unit"].as_f64().unwrap() - expected).abs() < 1e-12);

        let trajectory = json!({"start": -1, "end": 1, "steps": 3, "move": "to"});
        let body =
            json!({"seed": 7, "edits": [{"attribute": "grin"}], "unit": unit, "trajectory": trajectory});
        let response = edited(&client, "/v1/edit", body).await;
        assert_eq!(numbers(&response["positions"]), [-1.0, 0.0, 1.0]);
        for (face, position) in response["faces"].as_array().unwrap().iter().zip([-1.0, 0.0, 1.0]) {
            let found = distance(face, "grin");
            assert!(
                (found - position * expected).abs() < 1e-6,
                "{unit}: {found} at {position}"
            );
        }
    }
}

#[tokio::test]
async fn each_edit_may_have_layers_of_its_own() {
    let client = Client::sketch();
    let body = json!({
        "seed": 7, "layers": "2",
        "edits": [{"attribute": "smile", "to": 2.0, "layers": "0-1"}, {"attribute": "age", "by": 1.0}]
    });
    let response = edited(&client, "/v1/edit", body).await;
    let row = |face: &Value, row: usize| numbers(&face["latent"]["values"][row]);
    let (before, after) = (&response["before"], &response["faces"][0]);
    assert_eq!(after["latent"]["space"], "w+");
    for layer in 0..2 {
        // Smile is the last value in w.
        assert!((row(after, layer)[3] - 2.0).abs() < 1e-6);
        assert!((row(after, layer)[2] - row(before, layer)[2]).abs() < 1e-6);
    }
    assert!((row(after, 2)[2] - row(before, 2)[2] - 0.8).abs() < 1e-6);
    assert!((row(after, 2)[3] - row(before, 2)[3] - 0.6).abs() < 1e-6);
}

#[tokio::test]
async fn a_deviation_that_is_not_known_is_refused() {
    let client = Client::sketch();
    // The rows cancel, so that all samples, which are repeated w codes, have the same distance.
    let file = json!({"normal": [[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]});
    let put = axum::http::Request::put("/v1/models/sketch/boundaries/tilt/w+")
        .header("content-type", "application/json");
    let put = client.send(put.body(file.to_string().into()).unwrap()).await;
    assert_eq!(put.status, StatusCode::OK);
    let edit = "/v1/edit?seed=7&space=w%2B&edit=tilt:2";
    let response = client.get(&format!("{edit}&unit=deviation")).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = response.json()["detail"].to_string();
    assert!(
        detail.contains("tilt") && detail.contains("send the unit `distance`"),
        "{detail}"
    );
    // On one layer, the distances differ.
    for edit in [edit.to_owned(), format!("{edit}@0&unit=deviation")] {
        let response = client.get(&edit).await;
        assert_eq!(response.status, StatusCode::OK, "{edit}");
    }
}

#[tokio::test]
async fn a_unit_without_a_meaning_is_refused() {
    let client = Client::sketch();
    let response = client.get("/v1/edit?seed=7&edit=smile:2&unit=metres").await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = response.json()["detail"].to_string();
    assert!(
        detail.contains("expected distance, deviation or file"),
        "{detail}"
    );
}

#[tokio::test]
async fn conditions_that_leave_nothing_of_an_edit_are_an_error_that_names_them() {
    let client = Client::sketch();
    for uri in [
        "/v1/conditional-edit?seed=7&edit=smile:2&condition=smile",
        "/v1/conditional-edit?seed=7&edit=smile:2&condition=age&condition=grin",
    ] {
        let response = client.get(uri).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = response.json();
        assert_eq!(problem["type"], "urn:faceplane:problem:no-direction-left");
        assert!(problem["detail"].as_str().unwrap().contains("smile"), "{problem}");
    }
}

#[tokio::test]
async fn a_repeated_condition_counts_once() {
    let client = Client::sketch();
    let once = client
        .get("/v1/conditional-edit?seed=7&space=z&edit=age:2&condition=smile")
        .await;
    let twice = client
        .get("/v1/conditional-edit?seed=7&space=z&edit=age:2&condition=smile&condition=smile")
        .await;
    assert_eq!(once.pixels(), twice.pixels());
    let plain = client.get("/v1/edit?seed=7&space=z&edit=age:2").await;
    assert_ne!(once.pixels(), plain.pixels(), "the condition counts");
}
