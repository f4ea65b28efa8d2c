//! Empty lists mean the same as absent ones.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::Client;

async fn posted(client: &Client, path: &str, mut body: Value) -> Value {
    body["format"] = json!("json");
    let response = client.post(path, body.clone()).await;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    assert_eq!(response.status, StatusCode::OK, "{path} {body}: {text}");
    response.json()
}

#[tokio::test]
async fn an_edit_without_edits_is_the_face_itself() {
    let client = Client::sketch();
    let sampled = client.get("/v1/sample?seed=7&metadata=none").await;
    for uri in [
        "/v1/edit?seed=7&metadata=none",
        "/v1/edit?seed=7&metadata=none&edit=&condition=",
        "/v1/edit?seed=7&metadata=none&along=gradient&condition=age",
        "/v1/conditional-edit?seed=7&metadata=none&condition=age",
    ] {
        let response = client.get(uri).await;
        assert_eq!(response.status, StatusCode::OK, "{uri}");
        assert_eq!(response.body, sampled.body, "{uri}");
    }
    let body = json!({"seed": 7, "edits": [], "conditions": []});
    let response = posted(&client, "/v1/edit", body).await;
    assert_eq!(response["faces"][0], response["before"]);
    assert_eq!(response["directions"], json!([]));
    assert_eq!(response["warnings"], json!([]));
}

#[tokio::test]
async fn an_edit_without_conditions_is_the_plain_edit() {
    let client = Client::sketch();
    let edits = json!([{"attribute": "smile", "by": 1}]);
    let plain = posted(&client, "/v1/edit", json!({"seed": 7, "edits": edits})).await;
    for path in ["/v1/edit", "/v1/conditional-edit"] {
        let empty = json!({"seed": 7, "edits": edits, "conditions": []});
        assert_eq!(
            posted(&client, path, empty).await["faces"][0]["latent"],
            plain["faces"][0]["latent"]
        );
    }
    let absent = json!({"seed": 7, "edits": edits});
    let absent = posted(&client, "/v1/conditional-edit", absent).await;
    assert_eq!(absent["faces"][0]["latent"], plain["faces"][0]["latent"]);
    let by_url = client
        .get("/v1/conditional-edit?seed=7&edit=smile:1&condition=")
        .await;
    assert_eq!(by_url.status, StatusCode::OK);
}

#[tokio::test]
async fn an_uploaded_image_without_edits_is_encoded_again() {
    let client = Client::sketch();
    let file = client.get("/v1/sample?seed=7").await.body;
    let request = axum::http::Request::post("/v1/edit").header("content-type", "image/png");
    let response = client.send(request.body(file.clone().into()).unwrap()).await;
    assert_eq!(response.status, StatusCode::OK);
    let sampled = client.get("/v1/sample?seed=7").await.pixels();
    assert_eq!(response.pixels(), sampled);
}
