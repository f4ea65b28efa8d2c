//! What scripts of web pages may send to the service and see of its responses, and what browsers do with images.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Client, Response};

async fn with_origin(client: &Client, request: axum::http::request::Builder) -> Response {
    let request = request.header("origin", "https://page.example");
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_preflight_allows_each_header_that_it_names_and_lasts() {
    let client = Client::sketch();
    for path in ["/v1/sample", "/v1/models/sketch/boundaries/smile/w"] {
        let asked = "authorization,content-type,faceplane-timeout,x-anything";
        let request = Request::options(path)
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", asked);
        let response = with_origin(&client, request).await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(response.header("access-control-allow-headers"), Some(asked));
        assert_eq!(response.header("access-control-allow-methods"), Some("*"));
        assert_eq!(response.header("access-control-max-age"), Some("7200"));
    }
}

#[tokio::test]
async fn scripts_of_every_origin_see_all_headers_and_times() {
    let client = Client::sketch();
    for uri in ["/v1/sample?seed=7", "/v1/nothing"] {
        let response = with_origin(&client, Request::get(uri)).await;
        assert_eq!(
            response.header("access-control-expose-headers"),
            Some("*"),
            "{uri}"
        );
        assert_eq!(response.header("timing-allow-origin"), Some("*"), "{uri}");
    }
}

#[tokio::test]
async fn the_document_lists_the_headers_that_scripts_read() {
    let document = Client::sketch().get("/openapi.json").await.json();
    let headers = |path: &str| document["paths"][path]["get"]["responses"]["200"]["headers"].clone();
    for name in [
        "ETag",
        "Content-Disposition",
        "Faceplane-Model",
        "Faceplane-Seed",
        "Faceplane-Warnings",
        "Server-Timing",
        "X-Request-Id",
    ] {
        assert!(headers("/v1/edit").get(name).is_some(), "{name}");
    }
    assert!(headers("/v1/score").get("Content-Disposition").is_none());
}

#[tokio::test]
async fn warnings_are_one_header_that_splits_into_the_list_of_the_json() {
    let client = Client::sketch();
    let uri = "/v1/edit?seed=7&edit=smile:to:9&edit=age:to:-9";
    let image = client.get(uri).await;
    assert_eq!(image.headers.get_all("faceplane-warnings").iter().count(), 1);
    let header = image.header("faceplane-warnings").unwrap();
    let listed: Value = serde_json::from_str(&format!("[{header}]")).unwrap();
    let warnings = client.get(&format!("{uri}&format=json")).await.json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 2, "{warnings}");
    assert_eq!(listed, warnings);
}

#[tokio::test]
async fn images_have_a_name_under_which_a_browser_stores_them() {
    let client = Client::sketch();
    for (uri, name) in [
        ("/v1/sample?seed=85", "sketch-seed85.png"),
        ("/v1/sample?seed=85&count=4&format=jpeg", "sketch-seeds85-88.jpg"),
        ("/v1/sample?latent=w:0,0,0,1&format=webp", "sketch.webp"),
        ("/v1/edit?seed=85&edit=smile:1", "sketch-seed85-edited.png"),
        (
            "/v1/edit?seed=85&edit=smile&trajectory=-1:1:3&format=gif",
            "sketch-seed85-edited.gif",
        ),
    ] {
        let response = client.get(uri).await;
        let expected = format!("inline; filename=\"{name}\"");
        assert_eq!(response.header("content-disposition"), Some(&*expected), "{uri}");
    }
    let archive = client.get("/v1/sample?seed=85&count=4&layout=zip").await;
    assert_eq!(
        archive.header("content-disposition"),
        Some("inline; filename=\"sketch-seeds85-88.zip\"")
    );
    for uri in [
        "/v1/sample?seed=85&format=json",
        "/v1/score?seed=85",
        "/v1/models",
    ] {
        assert_eq!(client.get(uri).await.header("content-disposition"), None, "{uri}");
    }
    let posted = client.post("/v1/sample", json!({"seed": 7})).await;
    assert_eq!(
        posted.header("content-disposition"),
        Some("inline; filename=\"sketch-seed7.png\"")
    );
}

#[tokio::test]
async fn the_address_bar_gets_a_png_and_the_page() {
    let client = Client::sketch();
    for accept in [
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,*/*;q=0.8",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    ] {
        for (path, kind) in [
            ("/v1/sample?seed=7", "image/png"),
            ("/v1/edit?seed=7&edit=smile:1", "image/png"),
            ("/", "text/html; charset=utf-8"),
            ("/docs/", "text/html; charset=utf-8"),
        ] {
            let request = Request::get(path).header("accept", accept);
            let response = client.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.header("content-type"), Some(kind), "{path} {accept}");
        }
    }
}

#[tokio::test]
async fn images_in_json_are_in_the_format_that_was_asked_for() {
    let client = Client::sketch();
    for (pictures, kind, start) in [
        ("", "image/png", &b"\x89PNG"[..]),
        ("&picture_format=png&compression=small", "image/png", b"\x89PNG"),
        ("&picture_format=jpeg&quality=50", "image/jpeg", b"\xff\xd8\xff"),
        ("&picture_format=webp", "image/webp", b"RIFF"),
    ] {
        for path in ["/v1/sample?seed=7", "/v1/edit?seed=7&edit=smile:1"] {
            let uri = format!("{path}&format=json{pictures}");
            let face = client.get(&uri).await.json()["faces"][0].clone();
            assert_eq!(face["media_type"], kind, "{uri}");
            let file = STANDARD.decode(face["image"].as_str().unwrap()).unwrap();
            assert!(file.starts_with(start), "{uri}");
        }
    }
    for (query, says) in [
        (
            "format=png&picture_format=jpeg",
            "picture_format: is for pictures in JSON",
        ),
        ("format=json&picture_format=gif", "picture_format: found \"gif\""),
        (
            "pictures=none&picture_format=jpeg",
            "picture_format: is for pictures in JSON",
        ),
        ("format=json&quality=50", "quality: is for JPEG and WebP"),
        (
            "format=json&picture_format=jpeg&compression=small",
            "compression: is for PNG",
        ),
    ] {
        let response = client.get(&format!("/v1/sample?seed=7&{query}")).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let problem = response.json();
        assert!(problem["detail"].as_str().unwrap().starts_with(says), "{problem}");
    }
}
