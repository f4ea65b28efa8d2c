//! The watch on model folders, and what SIGHUP does.

use axum::http::StatusCode;

use super::{Service, write_model};
use faceplane::editor::ModelLoader;

#[tokio::test]
async fn a_change_is_loaded_when_two_looks_see_the_same() {
    let service = Service::start();
    let before = service.digest("other").await;
    service.look().await;
    write_model(&service.folder("other"), "phantom", "other", 0.5);
    service.look().await;
    assert_eq!(
        service.digest("other").await,
        before,
        "the folder may still be written"
    );
    write_model(&service.folder("other"), "phantom", "other", 0.25);
    service.look().await;
    assert_eq!(service.digest("other").await, before, "it was still written");
    service.look().await;
    let model = service.client.get("/v1/models/other").await.json();
    assert_eq!(model["truncation"]["psi"], 0.25);
    service.look().await;
    assert_eq!(service.loads("replaced"), 1, "nothing has changed since");
}

#[tokio::test]
async fn a_new_folder_is_loaded_and_one_that_disappears_is_not_dropped() {
    let service = Service::start();
    write_model(&service.folder("third"), "phantom", "third", 1.0);
    write_model(&service.folder(".hidden"), "phantom", "hidden", 1.0);
    service.look().await;
    service.look().await;
    assert_eq!(service.names().await, ["first", "other", "third"]);
    std::fs::remove_dir_all(service.folder("third")).unwrap();
    for _ in 0..3 {
        service.look().await;
    }
    assert_eq!(service.names().await, ["first", "other", "third"]);
    assert_eq!(service.loads("failed"), 0, "a folder may be on its way");
}

#[tokio::test]
async fn a_mistake_is_tried_once_until_the_folder_changes_and_again_by_a_reload() {
    let service = Service::start();
    let before = service.digest("other").await;
    std::fs::write(service.folder("other").join("manifest.toml"), "name = ").unwrap();
    for _ in 0..4 {
        service.look().await;
    }
    assert_eq!(service.loads("failed"), 1);
    service.with_loader(ModelLoader::reload).await;
    assert_eq!(
        (service.loads("failed"), service.digest("other").await),
        (2, before)
    );
    write_model(&service.folder("other"), "phantom", "other", 0.5);
    service.with_loader(ModelLoader::reload).await;
    let model = service.client.get("/v1/models/other").await.json();
    assert_eq!(model["truncation"]["psi"], 0.5);
    service.with_loader(ModelLoader::reload).await;
    let counted = ["replaced", "unchanged"].map(|outcome| service.loads(outcome));
    assert_eq!(counted, [1, 0], "a reload reads no folder that is as it was");
}

#[tokio::test]
async fn a_dropped_model_stays_dropped_until_a_reload() {
    let service = Service::start();
    assert_eq!(service.delete("other").await, StatusCode::NO_CONTENT);
    write_model(&service.folder("other"), "phantom", "other", 0.5);
    for _ in 0..3 {
        service.look().await;
    }
    assert_eq!(service.names().await, ["first"]);
    service.with_loader(ModelLoader::reload).await;
    assert_eq!(service.names().await, ["first", "other"]);
}

#[tokio::test]
async fn a_model_with_another_name_takes_the_place_of_the_one_before_but_not_of_the_default() {
    let service = Service::start();
    write_model(&service.folder("other"), "phantom", "third", 1.0);
    service.with_loader(ModelLoader::reload).await;
    assert_eq!(service.names().await, ["first", "third"]);
    write_model(&service.folder("first"), "phantom", "fourth", 1.0);
    let (status, problem) = service.put("fourth").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("found the name \"fourth\", expected \"first\""),
        "{detail}"
    );
    write_model(&service.folder("other"), "phantom", "first", 0.5);
    service.with_loader(ModelLoader::reload).await;
    assert_eq!(service.names().await, ["first", "third"], "two folders name it");
    let model = service.client.get("/v1/models/first").await.json();
    assert_eq!(model["truncation"]["psi"], 1.0);
}
