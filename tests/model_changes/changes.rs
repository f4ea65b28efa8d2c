//! `PUT` and `DELETE` of models.

use axum::http::StatusCode;
use serde_json::json;

use super::{Service, write_model};
use crate::support::Client;

#[tokio::test]
async fn a_model_is_dropped_and_loaded_again_and_the_default_stays() {
    let service = Service::start();
    let before = service.client.get("/v1/models/other").await.json();
    assert_eq!(service.delete("other").await, StatusCode::NO_CONTENT);
    assert_eq!(service.names().await, ["first"]);
    for (method, path, kind) in [
        ("GET", "/v1/sample?seed=1&model=other", "unknown-model"),
        ("DELETE", "/v1/models/other", "unknown-model"),
        ("DELETE", "/v1/models/first", "default-model"),
        ("PUT", "/v1/models/third", "no-model-folder"),
    ] {
        let refused = service.send(method, path).await.json();
        assert_eq!(
            refused["type"],
            format!("urn:faceplane:problem:{kind}"),
            "{refused}"
        );
    }
    let response = service.send("PUT", "/v1/models/other").await;
    assert_eq!(
        (response.status, response.header("location")),
        (StatusCode::CREATED, Some("/v1/models/other"))
    );
    assert_eq!(response.json(), before);
    assert_eq!(service.names().await, ["first", "other"]);
    assert_eq!(service.put("other").await, (StatusCode::OK, before));
    let counted = ["added", "replaced", "unchanged", "failed", "dropped"].map(|name| service.loads(name));
    assert_eq!(counted, [1, 0, 1, 0, 1]);
    assert_eq!(service.names().await, ["first", "other"]);
}

#[tokio::test]
async fn a_changed_folder_replaces_its_model_and_urls_with_the_old_digest_end() {
    let service = Service::start();
    let old = service.digest("other").await;
    let sample = "/v1/sample?seed=7&model=other";
    let before = service.client.get(sample).await;
    write_model(&service.folder("other"), "phantom", "other", 0.5);
    assert_eq!(
        service.client.get(sample).await.body,
        before.body,
        "nobody has asked for the new files"
    );
    let (status, model) = service.put("other").await;
    assert_eq!(
        (status, &model["truncation"]["psi"]),
        (StatusCode::OK, &json!(0.5))
    );
    assert_eq!(service.digest("other").await, model["digest"]);
    let after = service.client.get(sample).await;
    assert_ne!(
        after.body, before.body,
        "the response of the old model is not taken from the cache"
    );
    let same = service.client.get(&format!("{sample}&psi=1.0")).await;
    assert_eq!(
        same.pixels(),
        before.pixels(),
        "both models have the same generator"
    );
    let gone = service
        .client
        .get(&format!("/v1/sample?seed=7&model=other@{old}"))
        .await;
    assert_eq!(gone.json()["type"], "urn:faceplane:problem:other-digest");
    assert_eq!(service.names().await, ["first", "other"]);
}

#[tokio::test]
async fn the_default_model_can_be_replaced() {
    let service = Service::start();
    write_model(&service.folder("first"), "portraits", "first", 0.7);
    let (status, model) = service.put("first").await;
    assert_eq!(status, StatusCode::OK, "{model}");
    let face = service.client.get("/v1/sample?seed=7&format=json").await.json();
    assert_eq!(face["digest"], model["digest"]);
}

#[tokio::test]
async fn a_folder_with_a_mistake_is_a_422_that_names_it_and_the_old_model_goes_on() {
    let service = Service::start();
    let before = service.digest("other").await;
    let graph = service.folder("other").join("synthesis.onnx");
    std::fs::write(&graph, "no graph").unwrap();
    let (status, problem) = service.put("other").await;
    let detail = problem["detail"].as_str().unwrap();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["type"], "urn:faceplane:problem:model-folder");
    assert!(
        detail.contains("other/synthesis.onnx")
            && detail.ends_with("the model that was loaded before goes on"),
        "{detail}"
    );
    std::fs::remove_file(service.folder("other").join("manifest.toml")).unwrap();
    let (status, problem) = service.put("other").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(
        (service.digest("other").await, service.loads("failed")),
        (before, 2)
    );
    assert_eq!(
        service.client.get("/v1/sample?seed=7&model=other").await.status,
        StatusCode::OK
    );
    write_model(&service.folder("other"), "phantom", "other", 0.5);
    assert_eq!(service.put("other").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_dropped_model_with_a_mistake_is_not_loaded_and_leaves_no_metrics() {
    let service = Service::start();
    assert!(service.metrics.text().contains("model=\"other\""));
    assert_eq!(service.delete("other").await, StatusCode::NO_CONTENT);
    assert!(!service.metrics.text().contains("model=\"other\""));
    let manifest = service.folder("other").join("manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    // The networks open before the mean code is checked.
    std::fs::write(&manifest, text.replace("psi = 1.0", "psi = 1.0\nlayers = 99")).unwrap();
    let (status, problem) = service.put("other").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.ends_with("the model is not loaded"), "{detail}");
    assert!(!service.metrics.text().contains("model=\"other\""));
    assert_eq!(service.names().await, ["first"]);
}

#[tokio::test]
async fn names_are_compared_with_manifests_and_are_no_paths() {
    let service = Service::start();
    // The folder's own name means nothing.
    write_model(&service.folder("folder"), "phantom", "manifest", 1.0);
    for name in [
        "folder",
        "..%2Fother",
        "%2Fetc",
        ".",
        "other%00",
        "Other",
        "other@1",
    ] {
        let refused = service.send("PUT", &format!("/v1/models/{name}")).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{name}");
    }
    let (_, problem) = service.put("folder").await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("first, manifest, other"), "{detail}");
    assert_eq!(service.names().await, ["first", "other"]);
    assert_eq!(service.put("manifest").await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_service_without_model_folders_loads_and_drops_nothing() {
    let client = Client::sketch();
    for method in ["PUT", "DELETE"] {
        let request = axum::http::Request::builder().method(method);
        let request = request.uri("/v1/models/sketch").body(axum::body::Body::empty());
        let refused = client.send(request.unwrap()).await.json();
        assert_eq!(
            refused["type"], "urn:faceplane:problem:no-model-folder",
            "{refused}"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_networks_of_a_model_end_when_the_last_request_has_ended() {
    let threads = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.starts_with("leaving")).count()
    };
    let service = Service::start();
    write_model(&service.folder("leaving"), "phantom", "leaving", 1.0);
    assert_eq!(service.put("leaving").await.0, StatusCode::CREATED);
    assert!(threads() > 0);
    let request = axum::http::Request::get("/v1/sample?seeds=0-999&model=leaving&pictures=none&format=npz");
    let response = service
        .client
        .begin(request.body(axum::body::Body::empty()).unwrap())
        .await;
    assert_eq!(service.delete("leaving").await, StatusCode::NO_CONTENT);
    assert!(threads() > 0, "the response is not complete");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    assert!(
        body.ends_with(&[0, 0]),
        "a zip archive ends with an empty comment"
    );
    while threads() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
