//! Caching: the headers that control the caches of clients, and the cache of the service.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::support::Client;

#[tokio::test]
async fn two_services_give_identical_bytes_and_tags_for_the_same_request() {
    // Two services, because the second response of one service comes from its cache.
    let (client, other_service) = (Client::sketch(), Client::sketch());
    let uri = format!("/v1/sample?seed=7&model=sketch@{}", digest(&client).await);
    let uri = &*uri;
    let (first, second) = (client.get(uri).await, other_service.get(uri).await);
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
    let other = client.get("/v1/sample?seed=8&model=sketch").await;
    assert_ne!(first.header("etag"), other.header("etag"));
}

async fn digest(client: &Client) -> String {
    let model = client.get("/v1/models/sketch").await.json();
    model["digest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn caches_keep_a_response_for_ever_only_if_its_url_has_the_digest_of_the_model() {
    let client = Client::sketch();
    let digest = digest(&client).await;
    for uri in [
        "/v1/sample?seed=7",
        "/v1/sample?seed=7&format=json",
        "/v1/edit?seed=7&edit=smile:2",
        "/v1/score?seed=7",
    ] {
        let caching = async |uri: String| {
            let response = client.get(&uri).await;
            assert_eq!(response.status, StatusCode::OK, "{uri}");
            response.header("cache-control").unwrap().to_owned()
        };
        let forever = caching(format!("{uri}&model=sketch@{digest}")).await;
        assert_eq!(forever, "public, max-age=31536000, immutable", "{uri}");
        for model in ["", "&model=sketch"] {
            let short = if uri == "/v1/sample?seed=7" {
                "public, max-age=60, must-revalidate"
            } else {
                "public, no-cache"
            };
            assert_eq!(caching(format!("{uri}{model}")).await, short, "{uri}{model}");
        }
        let without_seed = uri.replace("seed=7", &format!("model=sketch@{digest}"));
        assert_eq!(caching(without_seed).await, "no-store", "{uri}");
    }
}

#[tokio::test]
async fn a_digest_that_the_model_does_not_have_is_a_404_that_names_the_one_it_has() {
    let client = Client::sketch();
    let digest = digest(&client).await;
    for uri in [
        "/v1/sample?seed=7&model=sketch@0123",
        "/v1/edit?seed=7&edit=smile:2&model=sketch@",
        "/v1/models/sketch@0123",
    ] {
        let response = client.get(uri).await;
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{uri}");
        let problem = response.json();
        assert_eq!(problem["type"], "urn:faceplane:problem:other-digest");
        assert!(problem["detail"].as_str().unwrap().contains(&digest), "{problem}");
    }
    let posted = json!({"seed": 7, "model": format!("sketch@{digest}")});
    assert_eq!(client.post("/v1/sample", posted).await.status, StatusCode::OK);
    let path = format!("/v1/models/sketch@{digest}");
    assert_eq!(client.get(&path).await.json()["name"], "sketch");
}

#[tokio::test]
async fn a_response_that_may_change_is_revalidated_and_a_304_if_it_did_not() {
    let client = Client::sketch();
    for uri in [
        "/v1/edit?seed=7&edit=smile:2",
        "/v1/edit?seed=7&edit=smile:2&format=json",
        "/v1/sample?seed=7&format=json",
        "/v1/score?seed=7",
    ] {
        let response = client.get(uri).await;
        assert_eq!(
            response.header("cache-control"),
            Some("public, no-cache"),
            "{uri}"
        );
        let tag = response.header("etag").unwrap();
        let request = Request::get(uri).header(header::IF_NONE_MATCH, tag);
        let again = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{uri}");
    }
}

#[tokio::test]
async fn a_client_with_the_etag_of_the_response_gets_a_304_without_a_body() {
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
        let response = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status, status, "{known}");
        assert_eq!(response.body.is_empty(), status == StatusCode::NOT_MODIFIED);
        assert_eq!(response.header("etag"), Some(&*tag));
    }
}

#[tokio::test]
async fn caches_keep_neither_unseeded_nor_posted_responses() {
    let client = Client::sketch();
    for response in [
        client.get("/v1/sample").await,
        client.post("/v1/sample", json!({"seed": 7})).await,
    ] {
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("etag"), None);
    }
}

#[tokio::test]
async fn the_service_caches_seeded_responses_for_get_and_post_alike() {
    let client = Client::sketch();
    let hits = async |client: &Client| {
        let text = String::from_utf8(client.get("/metrics").await.body).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("faceplane_cache_hits_total "));
        line.unwrap().parse::<u32>().unwrap()
    };
    let first = client.get("/v1/edit?seed=7&edit=smile:2").await;
    assert!(first.header("server-timing").unwrap().contains("synthesis"));
    let body = json!({"seed": 7, "edits": [{"attribute": "smile", "by": 2}], "model": "sketch"});
    let second = client.post("/v1/edit", body).await;
    assert_eq!(second.header("server-timing"), Some("cache;desc=hit"));
    assert_eq!(second.body, first.body);
    assert_eq!(hits(&client).await, 1);
    // A request with another format, layout or metadata, or without a seed, has its own response.
    for uri in [
        "/v1/edit?seed=7&edit=smile:2&format=json",
        "/v1/edit?seed=7&edit=smile:2&metadata=none",
        "/v1/edit?seed=7&edit=smile:2&layout=strip",
        "/v1/edit?edit=smile:2",
        "/v1/edit?edit=smile:2",
    ] {
        let response = client.get(uri).await;
        assert!(
            response.header("server-timing").unwrap().contains("synthesis"),
            "{uri}"
        );
    }
    assert_eq!(hits(&client).await, 1);
}
