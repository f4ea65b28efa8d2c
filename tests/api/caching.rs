//! What caches are told.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::support::Client;

#[tokio::test]
async fn the_same_request_twice_gives_identical_bytes_and_tags() {
    let client = Client::sketch();
    let uri = "/v1/edit?seed=7&edit=smile:2";
    let (first, second) = (client.get(uri).await, client.get(uri).await);
    assert_eq!(first.body, second.body);
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_eq!(
        first.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        first.header("vary").map(|vary| vary.contains("Accept")),
        Some(true)
    );
    let other = client.get("/v1/edit?seed=7&edit=smile:3").await;
    assert_ne!(first.header("etag"), other.header("etag"));
}

#[tokio::test]
async fn a_client_that_has_the_answer_gets_304() {
    let client = Client::sketch();
    let tag = client
        .get("/v1/sample?seed=7")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    for (known, status) in [
        (tag.clone(), StatusCode::NOT_MODIFIED),
        (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
        ("*".to_owned(), StatusCode::NOT_MODIFIED),
        ("\"other\"".to_owned(), StatusCode::OK),
    ] {
        let request = Request::get("/v1/sample?seed=7").header(header::IF_NONE_MATCH, &known);
        let answer = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{known}");
        assert_eq!(answer.body.is_empty(), status == StatusCode::NOT_MODIFIED);
        assert_eq!(answer.header("etag"), Some(&*tag));
    }
}

#[tokio::test]
async fn what_was_drawn_or_posted_is_not_kept() {
    let client = Client::sketch();
    for answer in [
        client.get("/v1/sample").await,
        client.post("/v1/sample", json!({"seed": 7})).await,
    ] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("etag"), None);
    }
}
