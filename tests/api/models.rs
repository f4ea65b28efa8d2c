//! `/v1/models`, `/health` and the docs page.

use axum::http::StatusCode;
use serde_json::json;

use crate::support::Client;

#[tokio::test]
async fn the_list_of_models_names_the_default() {
    let list = Client::sketch().get("/v1/models").await.json();
    assert_eq!(list["default"], "sketch");
    assert_eq!(list["models"][0]["name"], "sketch");
    assert_eq!(list["models"][0]["attributes"], json!(["age", "grin", "smile"]));
}

#[tokio::test]
async fn a_model_is_described_with_spaces_scores_and_numbers_of_boundaries() {
    let model = Client::sketch().get("/v1/models/sketch").await.json();
    let spaces = json!([
        {"name": "z", "shape": [4], "boundaries": 2},
        {"name": "w", "shape": [4], "boundaries": 3},
        {"name": "w+", "shape": [3, 4], "boundaries": 0},
    ]);
    assert_eq!(model["spaces"], spaces);
    assert_eq!(model["default_space"], "w");
    assert_eq!(model["truncation"], json!({"psi": 1.0}));
    assert_eq!((&model["width"], &model["height"]), (&json!(8), &json!(8)));
    assert_eq!(model["attributes"][0]["positive"], "red");
}

#[tokio::test]
async fn each_boundary_has_the_distances_of_the_models_samples() {
    let client = Client::sketch();
    let model = client.get("/v1/models/sketch").await.json();
    let boundaries = model["boundaries"].as_array().unwrap();
    let age = &boundaries[0];
    assert_eq!((&age["attribute"], &age["space"]), (&json!("age"), &json!("z")));
    assert_eq!(
        age["distances"],
        json!({"mean": 0.5, "deviation": 1.0, "low": -2.5, "high": 3.5})
    );
    for boundary in boundaries.iter().filter(|boundary| boundary["space"] == "w") {
        // The mapping only reverses z.
        let distances = &boundary["distances"];
        let of = |name: &str| distances[name].as_f64().unwrap();
        let intercept = if boundary["attribute"] == "age" { 0.25 } else { 0.0 };
        assert!(
            (of("mean") - intercept).abs() < 0.1 && (of("deviation") - 1.0).abs() < 0.05,
            "{boundary}"
        );
        assert!(
            (of("high") - of("mean") - 3.0 * of("deviation")).abs() < 1e-12,
            "{boundary}"
        );
    }
    let list = client.get("/v1/models/sketch/boundaries").await.json();
    for (listed, boundary) in list["boundaries"].as_array().unwrap().iter().zip(boundaries) {
        assert_eq!(listed["distances"], boundary["distances"]);
    }
    // The document of a boundary has them too, and can be sent back as it came.
    let uri = "/v1/models/sketch/boundaries/age/w";
    let document = client.get(uri).await.json();
    assert_eq!(document["distances"], boundaries[1]["distances"]);
    let put = axum::http::Request::put(uri).header("content-type", "application/json");
    let put = client.send(put.body(document.to_string().into()).unwrap()).await;
    assert_eq!(
        put.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&put.body)
    );
    assert_eq!(put.json()["boundary"]["distances"], document["distances"]);
}

#[tokio::test]
async fn while_the_service_drains_it_is_live_but_not_ready() {
    let client = Client::sketch();
    assert_eq!(
        client.get("/health/ready").await.json(),
        json!({"status": "ready"})
    );
    client.readiness.drain();
    let response = client.get("/health/ready").await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.header("retry-after").is_some());
    assert_eq!(client.get("/health/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_docs_page_loads_nothing_from_other_hosts() {
    let client = Client::sketch();
    let without_slash = client.get("/docs").await;
    assert_eq!(
        (without_slash.status, without_slash.header("location")),
        (StatusCode::SEE_OTHER, Some("docs/"))
    );
    let page = client.get("/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    let text = String::from_utf8(page.body).unwrap();
    let script = client.get("/docs/swagger-initializer.js").await;
    let text = text + &String::from_utf8(script.body).unwrap();
    assert!(text.contains("/openapi.json"), "{text}");
    assert!(!text.contains("http://") && !text.contains("https://"), "{text}");
    for file in text.split(['"', '\'']).filter_map(|part| part.strip_prefix("./")) {
        let response = client.get(&format!("/docs/{file}")).await;
        assert_eq!(response.status, StatusCode::OK, "{file}");
    }
}
