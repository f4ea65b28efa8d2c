//! Boundaries as resources: an uploaded boundary is used at once, and one that does not fit is refused.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use faceplane::catalog::{NpyArray, Store};
use faceplane::editor::Models;
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{Client, Response, StripeGenerator, model_of, numbers};

pub(crate) const SMILE: &str = "/v1/models/sketch/boundaries/smile/w";

pub(crate) async fn put(client: &Client, uri: &str, body: Value) -> Response {
    let request = Request::put(uri).header(header::CONTENT_TYPE, "application/json");
    client.send(request.body(body.to_string().into()).unwrap()).await
}

pub(crate) async fn put_file(client: &Client, uri: &str, file: Vec<u8>) -> Response {
    let request = Request::put(uri).header(header::CONTENT_TYPE, "application/octet-stream");
    client.send(request.body(file.into()).unwrap()).await
}

pub(crate) async fn delete(client: &Client, uri: &str) -> Response {
    let request = Request::builder().method(Method::DELETE).uri(uri);
    client.send(request.body(Body::empty()).unwrap()).await
}

/// A client of a service with a store in `folder`.
pub(crate) fn with_store(folder: &std::path::Path) -> Client {
    let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
    let models = models
        .with_store(Store::open(folder.to_owned()).unwrap())
        .unwrap();
    Client::new(models, Duration::from_mins(1))
}

#[tokio::test]
async fn a_boundary_is_json_or_a_numpy_file() {
    let client = Client::sketch();
    let list = client.get("/v1/models/sketch/boundaries").await.json();
    assert_eq!(list["boundaries"].as_array().unwrap().len(), 5);
    let response = client.get("/v1/models/sketch/boundaries/age/w").await;
    assert_eq!(response.header("cache-control"), Some("public, no-cache"));
    let boundary = response.json();
    assert_eq!(
        (&boundary["attribute"], &boundary["space"], &boundary["samples"]),
        (&json!("age"), &json!("w"), &json!(1000))
    );
    assert_eq!(numbers(&boundary["normal"]), [0.0, 0.0, 0.8, 0.6]);
    let by_format = client.get("/v1/models/sketch/boundaries/age/w?format=npy").await;
    let by_accept = Request::get("/v1/models/sketch/boundaries/age/w")
        .header(header::ACCEPT, "application/octet-stream")
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(by_accept).await.body, by_format.body);
    assert_eq!(by_format.header("content-type"), Some("application/octet-stream"));
    let array = NpyArray::read(&by_format.body).unwrap();
    assert_eq!(
        (array.shape, array.values),
        (vec![1, 4], vec![0.0, 0.0, 0.8, 0.6])
    );
}

#[tokio::test]
async fn an_edit_uses_a_changed_boundary_at_once_and_no_cached_response() {
    let client = Client::sketch();
    let uri = "/v1/edit?seed=7&edit=smile:2&format=json&metadata=none";
    let before = client.get(uri).await;
    assert_eq!(before.header("cache-control"), Some("public, no-cache"));
    let moved = |response: &Value| -> Vec<f64> {
        let code = |face: &Value| numbers(&face["latent"]["values"]);
        let (from, to) = (code(&response["before"]), code(&response["faces"][0]));
        to.iter()
            .zip(from)
            .map(|(to, from)| ((to - from) * 1e4).round() / 1e4)
            .collect()
    };
    assert_eq!(moved(&before.json()), [0.0, 0.0, 0.0, 2.0]);
    let change = put(&client, SMILE, json!({"normal": [3, 0, 0, 4], "intercept": 10})).await;
    assert_eq!(
        change.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&change.body)
    );
    let change = change.json();
    assert_eq!(
        (&change["storage"], &change["boundary"]["intercept"]),
        (&json!("memory"), &json!(2.0))
    );
    let after = client.get(uri).await;
    assert_eq!(moved(&after.json()), [1.2, 0.0, 0.0, 1.6]);
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(after.json()["digest"], change["digest"]);
    assert_ne!(before.json()["digest"], change["digest"]);

    delete(&client, SMILE).await;
    let restored = client.get(uri).await;
    assert_eq!(restored.body, before.body);
    assert_eq!(restored.header("etag"), before.header("etag"));
}

#[tokio::test]
async fn a_length_that_changes_edits_by_unit_file_changes_the_digest() {
    let client = Client::sketch();
    let beard = "/v1/models/sketch/boundaries/beard/w";
    let uri = "/v1/edit?seed=7&space=w&edit=beard:1&unit=file&format=json&metadata=none";
    let mut found = Vec::new();
    for length in [2.0, 4.0] {
        put(&client, beard, json!({"normal": [0.0, 0.0, length, 0.0]})).await;
        let edited = client.get(uri).await.json();
        let codes = [&edited["before"], &edited["faces"][0]].map(|face| numbers(&face["latent"]["values"]));
        found.push((edited["digest"].clone(), (codes[1][2] - codes[0][2]).round()));
    }
    assert_eq!((found[0].1, found[1].1), (2.0, 4.0));
    assert_ne!(found[0].0, found[1].0);
}

#[tokio::test]
async fn a_boundary_from_get_can_be_put_back_and_restores_the_model() {
    let client = Client::sketch();
    let first = put_file(
        &client,
        SMILE,
        NpyArray {
            shape: vec![1, 4],
            values: vec![0.3, 0.1, 0.2, 0.7],
        }
        .write_f8(),
    )
    .await;
    assert_eq!(
        first.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&first.body)
    );
    let original = client.get(SMILE).await.json();
    let file = client.get(&format!("{SMILE}?format=npy")).await.body;
    delete(&client, SMILE).await;
    let back = put(&client, SMILE, original.clone()).await.json();
    let again = client.get(SMILE).await.json();
    let close = numbers(&again["normal"])
        .iter()
        .zip(numbers(&original["normal"]))
        .all(|(a, b)| (a - b).abs() < 1e-15);
    assert!(close, "found {again}, expected {original}");
    put_file(&client, SMILE, file.clone()).await;
    assert_eq!(client.get(&format!("{SMILE}?format=npy")).await.body, file);
    assert_eq!(back["boundary"]["attribute"], "smile");
    // A new attribute, with a name that a URL must escape, and in w+.
    let uri = "/v1/models/sketch/boundaries/hair%20colour%2Fdark/w+";
    let rows = json!([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]);
    assert_eq!(
        put(&client, uri, json!({"normal": rows})).await.status,
        StatusCode::OK
    );
    let found = client.get(uri).await.json();
    assert_eq!(
        (&found["attribute"], &found["space"]),
        (&json!("hair colour/dark"), &json!("w+"))
    );
    assert_eq!(found["normal"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_boundary_in_w_plus_keeps_its_hyperplane_and_the_length_that_was_sent() {
    let client = Client::sketch();
    let uri = "/v1/models/sketch/boundaries/beard/w+";
    let sent = json!({"normal": [[0, 0, 3, 4], [0, 0, 0, 0], [0, 0, 0, 0]], "intercept": -10});
    put(&client, uri, sent).await;
    let mut found = client.get(uri).await.json();
    assert_eq!(found["length"], 5.0);
    let scale = 3.0_f64.sqrt() / 5.0;
    assert!((found["normal"][0][3].as_f64().unwrap() - 4.0 * scale).abs() < 1e-12);
    assert!((found["intercept"].as_f64().unwrap() + 10.0 * scale).abs() < 1e-12);
    // What the service says of a boundary is the same boundary when it is sent back.
    put(&client, uri, found.clone()).await;
    let mut again = client.get(uri).await.json();
    // A number in JSON may be read with an error of its last digit.
    let deviation = |found: &mut Value| found["distances"].take()["deviation"].as_f64().unwrap();
    assert!((deviation(&mut again) - deviation(&mut found)).abs() < 1e-12);
    assert_eq!(again, found);
}

#[tokio::test]
async fn a_new_attribute_is_edited_like_any_other_and_its_intercept_counts() {
    let client = Client::sketch();
    let quality = json!({"normal": [0, 0, 2, 0], "intercept": -1.4});
    let response = put(&client, "/v1/models/sketch/boundaries/quality/w", quality).await;
    assert!(response.status.is_success(), "{}", response.json());
    let uri = "/v1/edit?seed=7&edit=quality:to:1&condition=smile&format=json";
    let face = client.get(uri).await.json()["faces"][0].clone();
    assert!((face["distances"]["quality"].as_f64().unwrap() - 1.0).abs() < 1e-6);
    let code = numbers(&face["latent"]["values"]);
    assert!((code[2] - 1.7).abs() < 1e-6, "{code:?}");
}

#[tokio::test]
async fn a_change_that_cannot_be_stored_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let client = with_store(folder.path());
    std::fs::write(folder.path().join("sketch"), "in the way").unwrap();
    let before = client.get(SMILE).await.json();
    let response = put(&client, SMILE, json!({"normal": [3, 0, 0, 4]})).await;
    assert_eq!(response.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(response.json()["type"], "urn:faceplane:problem:not-stored");
    assert_eq!(client.get(SMILE).await.json(), before);
    std::fs::remove_file(folder.path().join("sketch")).unwrap();
    put(&client, SMILE, json!({"normal": [3, 0, 0, 4]})).await;
    let replaced = client.get(SMILE).await.json();
    std::fs::remove_dir_all(folder.path().join("sketch")).unwrap();
    std::fs::write(folder.path().join("sketch"), "in the way").unwrap();
    assert_eq!(
        delete(&client, SMILE).await.status,
        StatusCode::INSUFFICIENT_STORAGE
    );
    assert_eq!(client.get(SMILE).await.json(), replaced);
}

#[tokio::test]
async fn a_boundary_that_does_not_fit_the_model_is_refused_with_the_reason() {
    let client = Client::sketch();
    let generator = client.get("/v1/models/sketch/boundaries").await.json()["generator"].clone();
    let cases = [
        (
            SMILE,
            json!({"normal": [1, 2, 3]}),
            422,
            "shape [1, 3], expected [1, 4]",
        ),
        (SMILE, json!({"normal": [[1, 2], [3]]}), 422, "several lengths"),
        (
            SMILE,
            json!({"normal": [[1, 2, 3, 4], [1, 2, 3, 4]]}),
            422,
            "expected (dim)",
        ),
        (SMILE, json!({"normal": [0, 0, 0, 0]}), 422, "norm 0"),
        (SMILE, json!({"normal": "up"}), 422, "normal"),
        (SMILE, json!({"normal": []}), 422, "shape"),
        (SMILE, json!({}), 422, "normal: missing"),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "attribute": "age"}),
            422,
            "as in the path",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "space": "z"}),
            422,
            "as in the path",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "colour": 1}),
            422,
            "colour: unknown field",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "intercept": "far"}),
            422,
            "intercept",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "samples": -1}),
            422,
            "samples",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "accuracy": []}),
            422,
            "accuracy",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "model": "00ff"}),
            422,
            "codes mean different faces",
        ),
        (
            SMILE,
            json!({"normal": [1, 2, 3, 4], "model": generator}),
            200,
            "",
        ),
        (
            "/v1/models/sketch/boundaries/smile/x",
            json!({"normal": [1, 2, 3, 4]}),
            422,
            "space: found \\\"x\\\", expected z, w, w+ or s",
        ),
        (
            "/v1/models/nobody/boundaries/smile/w",
            json!({"normal": [1, 2, 3, 4]}),
            404,
            "there is sketch",
        ),
        (
            "/v1/models/sketch/boundaries/smile/w?intercept=2",
            json!({"normal": [1, 2, 3, 4]}),
            422,
            "expected it in the body",
        ),
        (
            "/v1/models/sketch/boundaries/smile/w?intercept=far",
            json!({}),
            422,
            "intercept: found",
        ),
    ];
    for (uri, body, status, expected) in cases {
        let response = put(&client, uri, body.clone()).await;
        let text = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status.as_u16(), status, "{uri} {body}: {text}");
        assert!(
            text.contains(expected),
            "{uri} {body} expected {expected:?}, found: {text}"
        );
    }
    for (file, status) in [(b"PK".to_vec(), 422), (vec![0; 3 << 20], 413)] {
        assert_eq!(put_file(&client, SMILE, file).await.status.as_u16(), status);
    }
    for start in [vec![], vec![b'{'], b"\x93NUMPX".to_vec()] {
        let request = Request::put(SMILE).body(start.into()).unwrap();
        let refused = client.send(request).await;
        let text = String::from_utf8_lossy(&refused.body);
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{text}");
        assert!(text.contains("a .npy, .npz or .pt file of any type"), "{text}");
    }
    let without_type = Request::put(SMILE).body("{}".into()).unwrap();
    assert_eq!(
        client.send(without_type).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    for (uri, status) in [
        ("/v1/models/nobody/boundaries", 404),
        ("/v1/models/%FF/boundaries", 400),
        ("/v1/models/sketch/boundaries/smile/x", 422),
        ("/v1/models/sketch/boundaries/beard/w", 404),
        ("/v1/models/sketch/boundaries/smile/w?format=png", 422),
    ] {
        assert_eq!(client.get(uri).await.status.as_u16(), status, "{uri}");
    }
}
