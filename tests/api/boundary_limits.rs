//! What attributes can be called, and how many boundaries a model can have.

use axum::http::StatusCode;
use faceplane::editor::{BoundaryLimits, Models};
use serde_json::json;
use std::time::Duration;

use crate::api::boundaries::{delete, put, with_store};
use crate::api::training::{codes, file};
use crate::support::{Client, StripeGenerator, model_of};

#[tokio::test]
async fn a_name_that_no_url_or_file_can_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let client = with_store(folder.path());
    let longest = ("%C3%A4".repeat(32), "e".repeat(64));
    let (long, euro) = ("%C3%A4".repeat(33), "%E2%82%AC".repeat(64));
    for (name, expected) in [
        (longest.0.as_str(), None),
        (&longest.1, None),
        ("hair%20colour%2Fdark", None),
        (&long, Some("of 66 bytes")),
        (&euro, Some("of 192 bytes")),
        ("%20smile", Some("with blanks around it")),
        ("smile%0A", Some("with blanks around it")),
        ("smi%0Ale", Some("with '\\\\n'")),
        ("smile%3Abig", Some("with ':'")),
        ("smile%2Cage", Some("with ','")),
        ("%2e%2E", Some("which means a folder")),
        ("%20", Some("which is blank")),
    ] {
        let uri = format!("/v1/models/sketch/boundaries/{name}/w");
        let response = put(&client, &uri, json!({"normal": [1, 2, 3, 4]})).await;
        let text = String::from_utf8_lossy(&response.body);
        let Some(expected) = expected else {
            assert_eq!(response.status, StatusCode::OK, "{name}: {text}");
            continue;
        };
        assert_eq!(response.status.as_u16(), 422, "{name}: {text}");
        assert_eq!(response.json()["type"], "urn:faceplane:problem:attribute-name");
        assert!(
            text.contains(expected),
            "{name} expected {expected:?}, found: {text}"
        );
    }
}

#[tokio::test]
async fn two_names_that_differ_by_case_only_are_refused() {
    let client = Client::sketch();
    let rows = json!([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]);
    for (uri, normal) in [
        ("/v1/models/sketch/boundaries/Smile/w", json!([1, 2, 3, 4])),
        ("/v1/models/sketch/boundaries/SMILE/w+", rows),
    ] {
        let response = put(&client, uri, json!({"normal": normal})).await;
        let text = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, StatusCode::CONFLICT, "{text}");
        assert!(text.contains("write \\\"smile\\\""), "{text}");
    }
    // A name that a request added is free when its boundary is deleted.
    let body = json!({"normal": [1, 2, 3, 4]});
    for name in ["beard", "Beard"] {
        let uri = format!("/v1/models/sketch/boundaries/{name}/w");
        assert_eq!(put(&client, &uri, body.clone()).await.status, StatusCode::OK);
        assert_eq!(delete(&client, &uri).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_full_model_is_a_507_before_a_training_too() {
    let limits = BoundaryLimits {
        per_model: 6,
        ..BoundaryLimits::default()
    };
    let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
    let client = Client::new(models.with_limits(limits), Duration::from_mins(1));
    let body = json!({"normal": [1, 2, 3, 4]});
    let uri = |name: &str| format!("/v1/models/sketch/boundaries/{name}/w");
    assert_eq!(
        put(&client, &uri("beard"), body.clone()).await.status,
        StatusCode::OK
    );
    let full = put(&client, &uri("hat"), body.clone()).await;
    assert_eq!(full.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(full.json()["type"], "urn:faceplane:problem:too-many-boundaries");
    assert_eq!(
        put(&client, &uri("beard"), body.clone()).await.status,
        StatusCode::OK
    );
    let (values, scores) = codes();
    let training = json!({
        "attributes": ["hat"], "space": "z", "codes": file(vec![200, 4], values), "scores": file(vec![200], scores),
    });
    let refused = client.post("/v1/models/sketch/boundaries", training).await;
    assert_eq!(
        refused.status,
        StatusCode::INSUFFICIENT_STORAGE,
        "{}",
        refused.json()
    );
    delete(&client, &uri("beard")).await;
    assert_eq!(put(&client, &uri("hat"), body).await.status, StatusCode::OK);
}
