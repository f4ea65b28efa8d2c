//! What came with a model stays: replacements stand in front of it, and their deletion brings it back.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::boundaries::{SMILE, delete, put, with_store};
use crate::support::{Client, numbers};

#[tokio::test]
async fn a_deleted_boundary_is_gone_unless_one_came_with_the_model() {
    let client = Client::sketch();
    let original = client.get(SMILE).await.json();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    assert_eq!(delete(&client, SMILE).await.status, StatusCode::CONFLICT);
    for axis in [json!([1, 0, 0, 0]), json!([0, 1, 0, 0])] {
        let put = put(&client, SMILE, json!({"normal": axis})).await.json();
        assert_eq!(
            (&put["boundary"]["origin"], &put["restored"]),
            (&json!("replacement"), &json!(false))
        );
    }
    let of_original = format!("{SMILE}?version=original");
    assert_eq!(client.get(&of_original).await.json(), original);
    assert_eq!(
        numbers(&client.get(&format!("{SMILE}?version=current")).await.json()["normal"]),
        [0.0, 1.0, 0.0, 0.0]
    );
    let deleted = delete(&client, SMILE).await.json();
    assert_eq!(
        (&deleted["boundary"]["origin"], &deleted["restored"]),
        (&json!("model"), &json!(true))
    );
    assert_eq!(client.get(SMILE).await.json(), original);
    let refused = delete(&client, SMILE).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(
        text(&refused.json()["type"]),
        Some("urn:faceplane:problem:original-boundary".to_owned())
    );

    let beard = "/v1/models/sketch/boundaries/beard/w";
    let added = put(&client, beard, json!({"normal": [1, 2, 3, 4]})).await.json();
    assert_eq!(added["boundary"]["origin"], "addition");
    let none = client.get(&format!("{beard}?version=original")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND, "{}", none.json());
    let deleted = delete(&client, beard).await.json();
    assert_eq!(
        (&deleted["boundary"], &deleted["restored"]),
        (&Value::Null, &json!(false))
    );
    for uri in [beard, "/v1/edit?seed=7&edit=beard:2&space=w"] {
        assert_eq!(client.get(uri).await.status, StatusCode::NOT_FOUND, "{uri}");
    }
    assert_eq!(delete(&client, beard).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_say_where_boundaries_come_from_and_have_all_that_came_with_the_model() {
    let client = Client::sketch();
    let list = "/v1/models/sketch/boundaries";
    let before = client.get(list).await.json();
    put(&client, SMILE, json!({"normal": [3, 0, 0, 4], "samples": 7})).await;
    put(
        &client,
        &format!("{list}/beard/w"),
        json!({"normal": [1, 2, 3, 4]}),
    )
    .await;
    let now = client.get(list).await.json();
    let named = |list: &Value, attribute: &str, space: &str| {
        let found = list["boundaries"].as_array().unwrap().iter();
        let is_it = |item: &&Value| item["attribute"] == attribute && item["space"] == space;
        found.clone().find(is_it).unwrap().clone()
    };
    assert_eq!(named(&now, "smile", "w")["origin"], "replacement");
    assert_eq!(named(&now, "smile", "w")["samples"], 7);
    assert_eq!(named(&now, "smile", "z")["origin"], "model");
    assert_eq!(named(&now, "beard", "w")["origin"], "addition");
    let originals = client.get(&format!("{list}?version=original")).await.json();
    assert_eq!(originals["boundaries"], before["boundaries"]);
    assert_eq!((&originals["count"], &now["count"]), (&json!(5), &json!(6)));
}

#[tokio::test]
async fn a_boundary_that_an_earlier_service_removed_is_hidden_until_it_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sketch")).unwrap();
    let file = folder.path().join("sketch/smile_w.json");
    let record = r#"{"removed": {"attribute": "smile", "space": "w"}}"#;
    std::fs::write(&file, record).unwrap();
    let client = with_store(folder.path());
    assert_eq!(client.get(SMILE).await.status, StatusCode::NOT_FOUND);
    let original = client.get(&format!("{SMILE}?version=original")).await.json();
    let restored = delete(&client, SMILE).await.json();
    assert_eq!(restored["restored"], true, "{restored}");
    assert_eq!(client.get(SMILE).await.json(), original);
    assert!(!file.exists());
    drop(client);
    assert_eq!(with_store(folder.path()).get(SMILE).await.json(), original);
}

#[tokio::test]
async fn with_a_store_changes_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let client = with_store(folder.path());
    let change = put(
        &client,
        SMILE,
        json!({"normal": [3, 0, 0, 4], "samples": 70, "date": "2026-01-02T03:04:05Z"}),
    )
    .await;
    assert_eq!(change.json()["storage"], "disk");
    put(
        &client,
        "/v1/models/sketch/boundaries/beard/z",
        json!({"normal": [1, 2, 3, 4]}),
    )
    .await;
    let original = client.get("/v1/models/sketch/boundaries/age/z").await.json();
    for attribute in ["age", "hat"] {
        let uri = format!("/v1/models/sketch/boundaries/{attribute}/z");
        put(&client, &uri, json!({"normal": [1, 2, 3, 4]})).await;
        delete(&client, &uri).await;
    }
    let list = client.get("/v1/models/sketch/boundaries").await.json();
    let smile = client.get(SMILE).await.json();
    drop(client);
    let again = with_store(folder.path());
    let found = again.get("/v1/models/sketch/boundaries").await.json();
    let sorted = |list: &Value| {
        let mut names: Vec<String> = list["boundaries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| format!("{} {} {}", item["attribute"], item["space"], item["origin"]))
            .collect();
        names.sort();
        names
    };
    assert_eq!(sorted(&found), sorted(&list));
    assert_eq!(smile, again.get(SMILE).await.json());
    assert_eq!(
        again.get("/v1/models/sketch/boundaries/age/z").await.json(),
        original
    );
    // What came with the model is there, too.
    let of_smile = again.get(&format!("{SMILE}?version=original")).await.json();
    assert_eq!(numbers(&of_smile["normal"]), [0.0, 0.0, 0.0, 1.0]);
    delete(&again, SMILE).await;
    drop(again);
    assert_eq!(with_store(folder.path()).get(SMILE).await.json(), of_smile);
}
