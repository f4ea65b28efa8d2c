//! A service below a path, and slashes at the end of paths.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Client, Response};

/// A client of the small generator, whose service is behind a proxy that offers it below `path`.
fn client_below(path: &str) -> Client {
    Client::sketch_of(|api| api.below(path.parse().unwrap()))
}

/// Every kind of route.
const PATHS: [&str; 8] = [
    "/",
    "/assets/main.js",
    "/docs/",
    "/openapi.json",
    "/health/ready",
    "/metrics",
    "/v1/models",
    "/v1/sample?seed=7&format=json",
];

async fn get(client: &Client, uri: &str) -> Response {
    let response = client.get(uri).await;
    assert_eq!(response.status, StatusCode::OK, "{uri}");
    response
}

#[tokio::test]
async fn every_path_works_with_the_prefix_and_without_it() {
    let client = client_below("/demo/faces");
    for path in PATHS {
        let below = get(&client, &format!("/demo/faces{path}")).await;
        let stripped = get(&client, path).await;
        assert_eq!(
            below.header("content-type"),
            stripped.header("content-type"),
            "{path}"
        );
    }
    for path in ["/demo", "/demo/face", "/demo/faces2/v1/models", "/v2"] {
        assert_eq!(client.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn links_begin_with_the_prefix() {
    let client = client_below("/faces");
    let document = get(&client, "/faces/openapi.json").await.json();
    assert_eq!(document["servers"], json!([{"url": "/faces"}]));
    let alone = get(&Client::sketch(), "/openapi.json").await.json();
    assert!(alone.get("servers").is_none());

    let body = json!({"attributes": ["smile"], "space": "z", "samples": 400, "ratio": 0.2});
    let started = client.post("/faces/v1/models/sketch/boundaries", body).await;
    assert_eq!(started.status, StatusCode::ACCEPTED);
    let location = started.header("location").unwrap();
    assert_eq!(location, "/faces/v1/jobs/1");
    let events = Request::get(location).header("accept", "text/event-stream");
    client.send(events.body(Body::empty()).unwrap()).await;
    let job = get(&client, location).await.json();
    assert_eq!(job["samples_file"], "/faces/v1/jobs/1/samples");
    get(&client, "/faces/v1/jobs/1/samples").await;
}

#[tokio::test]
async fn the_prefix_alone_leads_to_the_page() {
    let client = client_below("/faces");
    let response = client.get("/faces").await;
    assert_eq!(response.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(response.header("location"), Some("/faces/"));
    let page = get(&client, "/faces/").await;
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("\"assets/main.js\""), "relative to the page");
    let docs = client.get("/faces/docs").await;
    assert_eq!(docs.header("location"), Some("docs/"), "relative to the request");
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing_below_a_prefix_either() {
    let client = client_below("/faces");
    for (path, status) in [
        ("/faces/v1/models/sketch/report", StatusCode::FORBIDDEN),
        ("/faces/v1/models/sketch/report/", StatusCode::FORBIDDEN),
        ("/faces/v1/sample", StatusCode::OK),
        ("/faces/v1/sample/", StatusCode::OK),
    ] {
        let request = Request::post(path)
            .header("host", "faces.example")
            .header("origin", "https://evil.example")
            .header("content-type", "application/json");
        let response = client.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_makes_no_difference() {
    for (client, prefix) in [(Client::sketch(), ""), (client_below("/faces"), "/faces")] {
        for (with, without) in [
            ("/v1/models/", "/v1/models"),
            ("/v1/models/sketch/", "/v1/models/sketch"),
            ("/v1/sample/?seed=7", "/v1/sample?seed=7"),
            ("/openapi.json/", "/openapi.json"),
            ("/health/live/", "/health/live"),
        ] {
            let with = get(&client, &format!("{prefix}{with}")).await;
            assert_eq!(with.body, get(&client, &format!("{prefix}{without}")).await.body);
        }
        let posted = client
            .post(&format!("{prefix}/v1/sample/"), json!({"seed": 7}))
            .await;
        assert_eq!(posted.status, StatusCode::OK);
        for path in ["//", "/v1/models//", "/v1//models", "/v1/nothing/"] {
            let path = format!("{prefix}{path}");
            assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
