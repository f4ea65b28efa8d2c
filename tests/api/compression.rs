//! Compressed responses.

use std::io::Read as _;

use axum::body::Body;
use axum::http::{Request, StatusCode};

use crate::support::{Client, Response};

/// A JSON response of some kilobytes.
const LARGE: &str = "/v1/sample?seed=7&count=16&format=json";

async fn get(client: &Client, uri: &str, encodings: &'static str) -> Response {
    let request = Request::get(uri).header("accept-encoding", encodings);
    client.send(request.body(Body::empty()).unwrap()).await
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(gzip);
    decoder.read_to_end(&mut content).unwrap();
    content
}

#[tokio::test]
async fn texts_are_compressed_for_clients_that_accept_it() {
    let client = Client::sketch();
    for uri in [
        LARGE,
        "/openapi.json",
        "/",
        "/assets/main.js",
        "/docs/swagger-ui.css",
        "/metrics",
    ] {
        let plain = client.get(uri).await;
        assert_eq!(plain.header("content-encoding"), None, "{uri}");
        let packed = get(&client, uri, "gzip").await;
        assert_eq!(packed.status, StatusCode::OK, "{uri}");
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{uri}");
        assert_eq!(packed.header("content-type"), plain.header("content-type"));
        let varies = packed.headers.get_all("vary").iter();
        let mut varies = varies.filter_map(|value| value.to_str().ok());
        assert!(varies.any(|value| value.contains("accept-encoding")), "{uri}");
        assert!(packed.body.len() < plain.body.len(), "{uri}");
        if uri != "/metrics" {
            assert_eq!(unpacked(&packed.body), plain.body, "{uri}");
        }
        let smaller = get(&client, uri, "gzip, deflate, br, zstd").await;
        assert_eq!(smaller.header("content-encoding"), Some("br"), "{uri}");
        assert!(smaller.body.len() < plain.body.len(), "{uri}");
    }
}

#[tokio::test]
async fn images_small_and_very_large_texts_and_events_are_not_compressed() {
    let client = Client::sketch();
    for uri in [
        "/v1/sample?seed=7&count=16",
        "/v1/sample?seed=7&count=16&format=webp",
        "/health/live",
        "/v1/nothing",
        "/docs/favicon-32x32.png",
        "/docs/swagger-ui-bundle.js",
        "/v1/models/sketch/boundaries/smile/w?format=npy",
    ] {
        let response = get(&client, uri, "gzip, br").await;
        assert_eq!(response.header("content-encoding"), None, "{uri}");
    }
    assert_eq!(
        get(&client, LARGE, "identity").await.header("content-encoding"),
        None
    );
}

#[tokio::test]
async fn a_compressed_response_has_a_weak_tag_and_is_revalidated_by_it() {
    let client = Client::sketch();
    for uri in [LARGE, "/assets/main.js"] {
        let packed = get(&client, uri, "gzip").await;
        let tag = packed.header("etag").unwrap().to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        for encodings in ["gzip", "br", "identity"] {
            let request = Request::get(uri)
                .header("if-none-match", &tag)
                .header("accept-encoding", encodings);
            let again = client.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{uri} {encodings}");
            assert_eq!(again.header("etag"), Some(&*tag));
            assert!(again.body.is_empty());
        }
    }
    let image = get(&client, "/v1/sample?seed=7", "gzip").await;
    assert!(image.header("etag").unwrap().starts_with('"'));
}
