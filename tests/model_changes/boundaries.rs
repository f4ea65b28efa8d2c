//! Boundaries of models that are replaced, and jobs that run meanwhile.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Service, write_model};

const SMILE: &str = "/v1/models/other/boundaries/smile/w";

impl Service {
    /// Sets the boundary of smile to one along an axis.
    async fn put_axis(&self, axis: usize) {
        let normal: Vec<u8> = (0..64).map(|index| u8::from(index == axis)).collect();
        let request = axum::http::Request::put(SMILE).header("content-type", "application/json");
        let body = json!({ "normal": normal, "intercept": 0.0 }).to_string();
        let put = self.client.send(request.body(body.into()).unwrap()).await;
        assert_eq!(put.status, StatusCode::OK, "{}", put.json());
    }

    /// The axis of the boundary of smile; `None` for another boundary.
    async fn axis(&self) -> Option<usize> {
        let boundary = self.client.get(SMILE).await.json();
        let normal = boundary["normal"].as_array().unwrap();
        normal.iter().position(|value| value == 1.0)
    }
}

#[tokio::test]
async fn changed_boundaries_stay_with_a_replaced_model_with_a_store_and_without() {
    let store = tempfile::tempdir().unwrap();
    for service in [Service::start(), Service::with_store(Some(store.path()))] {
        service.put_axis(3).await;
        write_model(&service.folder("other"), "phantom", "other", 0.5);
        let (status, model) = service.put("other").await;
        assert_eq!(
            (status, &model["truncation"]["psi"]),
            (StatusCode::OK, &json!(0.5))
        );
        assert_eq!(service.axis().await, Some(3));
        // A change after it is one of the new model.
        service.put_axis(5).await;
        assert_eq!(service.axis().await, Some(5));
    }
}

#[tokio::test]
async fn boundaries_of_another_generator_are_left_out_and_stay_in_the_store() {
    let store = tempfile::tempdir().unwrap();
    let service = Service::with_store(Some(store.path()));
    service.put_axis(3).await;
    write_model(&service.folder("other"), "portraits", "other", 1.0);
    assert_eq!(service.put("other").await.0, StatusCode::OK);
    assert_eq!(service.axis().await, None, "the new generator's own boundary");
    write_model(&service.folder("other"), "phantom", "other", 1.0);
    assert_eq!(service.put("other").await.0, StatusCode::OK);
    assert_eq!(service.axis().await, Some(3));
    assert_eq!(service.delete("other").await, StatusCode::NO_CONTENT);
    assert_eq!(service.put("other").await.0, StatusCode::CREATED);
    assert_eq!(
        service.axis().await,
        Some(3),
        "the store keeps it for a dropped model"
    );
}

#[tokio::test]
async fn new_boundaries_in_a_folder_are_loaded_and_changed_ones_still_replace_them() {
    let service = Service::start();
    let folder = service.folder("other").join("boundaries");
    let list = service.client.get("/v1/models/other/boundaries").await.json();
    let count = |list: &Value| list["boundaries"].as_array().unwrap().len();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("smile_w") {
            let text = std::fs::read(&path).unwrap();
            let text = match path.extension().unwrap().to_str().unwrap() {
                "json" => String::from_utf8(text)
                    .unwrap()
                    .replace("\"smile\"", "\"grin\"")
                    .into_bytes(),
                _ => text,
            };
            std::fs::write(folder.join(name.replace("smile", "grin")), text).unwrap();
        }
    }
    service.put_axis(3).await;
    let (status, model) = service.put("other").await;
    assert_eq!(status, StatusCode::OK, "{model}");
    let now = service.client.get("/v1/models/other/boundaries").await.json();
    assert_eq!(count(&now), count(&list) + 1, "{now}");
    assert_eq!(service.axis().await, Some(3));
    let edit = "/v1/edit?seed=7&edit=grin:1&model=other";
    assert_eq!(service.client.get(edit).await.status, StatusCode::OK);
}

/// Starts a job on labelled codes of `dim` numbers, and returns its path.
async fn start(service: &Service, body: Value) -> String {
    let response = service.client.post("/v1/models/other/boundaries", body).await;
    let location = response.header("location").map(str::to_owned);
    location.unwrap_or_else(|| panic!("the response has no Location: {}", response.json()))
}

async fn end(service: &Service, job: &str) -> Value {
    loop {
        let job = service.client.get(job).await.json();
        if ["done", "failed", "cancelled"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_job_of_a_replaced_model_finishes_and_its_boundary_is_refused_by_another_generator() {
    for keep in ["new", "better"] {
        let service = Service::start();
        let classifier =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom/classifier.onnx");
        let folder = service.folder("other");
        std::fs::copy(classifier, folder.join("classifier.onnx")).unwrap();
        let manifest = std::fs::read_to_string(folder.join("manifest.toml")).unwrap();
        let outputs: Vec<String> = ["pose", "smile", "age", "gender", "eyeglasses"]
            .iter()
            .map(|attribute| format!("{{ attribute = \"{attribute}\", kind = \"logit\", threshold = 0.0 }}"))
            .collect();
        let classifiers = format!(
            "[[classifiers]]\nfile = \"classifier.onnx\"\noutputs = [{}]\n",
            outputs.join(", ")
        );
        std::fs::write(folder.join("manifest.toml"), manifest + &classifiers).unwrap();
        assert_eq!(service.put("other").await.0, StatusCode::OK);
        let body = json!({ "attributes": ["smile"], "space": "w", "samples": 200, "keep": keep });
        let done = start(&service, body.clone()).await;
        assert_eq!(end(&service, &done).await["status"], "done");
        // This one runs first, and the other waits with the model that it began with.
        let mut long = body.clone();
        long["samples"] = json!(20_000);
        let long = start(&service, long).await;
        let job = start(&service, body).await;
        write_model(&folder, "portraits", "other", 1.0);
        assert_eq!(service.put("other").await.0, StatusCode::OK);
        assert_eq!(service.send("DELETE", &long).await.status, StatusCode::OK);
        let job = end(&service, &job).await;
        let failure = job["failure"].as_str().unwrap_or_default();
        assert!(
            failure.contains("found a boundary of the generator with digest"),
            "{job}"
        );
        assert_eq!(service.delete("other").await, StatusCode::NO_CONTENT);
        assert_eq!(service.client.get(&done).await.json()["boundaries"], json!([]));
        assert_eq!(service.put("other").await.0, StatusCode::CREATED);
        let id = done.rsplit('/').next().unwrap();
        let again = json!({ "attributes": ["smile"], "space": "w", "samples_from": id });
        let refused = service.client.post("/v1/models/other/boundaries", again).await;
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("before it was replaced"), "{detail}");
    }
}

#[tokio::test]
async fn a_model_that_goes_on_uses_no_file_of_the_folder_that_has_changed() {
    let service = Service::start();
    std::fs::copy(
        service.folder("other").join("mapping.onnx"),
        service.folder("other").join("synthesis.onnx"),
    )
    .unwrap();
    assert_eq!(service.put("other").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let directions = json!({ "method": "sefa", "count": 2 });
    let response = service
        .client
        .post("/v1/models/other/directions", directions)
        .await;
    let job = response
        .header("location")
        .expect("the job has a path")
        .to_owned();
    let job = end(&service, &job).await;
    let failure = job["failure"].as_str().unwrap_or_default();
    assert!(
        failure.contains("other/synthesis.onnx: found other content than when the model was loaded"),
        "{job}"
    );
}

#[tokio::test]
async fn a_service_starts_with_a_store_of_which_boundaries_do_not_fit() {
    let store = tempfile::tempdir().unwrap();
    {
        let service = Service::with_store(Some(store.path()));
        service.put_axis(3).await;
    }
    let file = store.path().join("other/smile_w.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let model = text.split("\"model\": \"").nth(1).unwrap()[..64].to_owned();
    std::fs::write(&file, text.replace(&model, &"0".repeat(64))).unwrap();
    let service = Service::with_store(Some(store.path()));
    assert_eq!(service.axis().await, None);
    assert!(file.exists());
    service.put_axis(5).await;
    assert_eq!(service.axis().await, Some(5));
}
