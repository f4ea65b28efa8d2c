//! Models that are loaded, replaced and dropped while the service runs.

mod boundaries;
mod changes;
mod folders;
mod load;
pub(crate) mod program;

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::catalog::{ModelFolder, Store};
use faceplane::editor::{ModelLoader, ModelOpener, Models};
use faceplane::engine::{EngineOptions, Replicas};
use faceplane::metrics::Metrics;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Client, Response, queue_limits, runtime};

/// Writes a model folder with the generator and the boundaries of a bundled one, and without its other networks. `psi` is the
/// truncation by default: models that differ by it have other faces and the same generator.
pub(crate) fn write_model(folder: &Path, bundled: &str, name: &str, psi: f64) {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx").join(bundled);
    // The folder may have had other boundaries.
    let _ = std::fs::remove_dir_all(folder.join("boundaries"));
    std::fs::create_dir_all(folder.join("boundaries")).unwrap();
    for file in ["mapping.onnx", "synthesis.onnx", "w_avg.npy"] {
        std::fs::copy(bundled.join(file), folder.join(file)).unwrap();
    }
    for entry in std::fs::read_dir(bundled.join("boundaries")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join("boundaries").join(entry.file_name())).unwrap();
    }
    let manifest = format!(
        "name = \"{name}\"\n[generator]\nmapping = \"mapping.onnx\"\nsynthesis = \"synthesis.onnx\"\n\
         [truncation]\nw_avg = \"w_avg.npy\"\npsi = {psi:?}\n[boundaries]\nfolder = \"boundaries\"\n"
    );
    std::fs::write(folder.join("manifest.toml"), manifest).unwrap();
}

/// A service with the model `first`, which is the default, and the model `other`, in a folder of model folders.
struct Service {
    client: Client,
    loader: ModelLoader,
    metrics: Metrics,
    place: TempDir,
}

impl Service {
    fn start() -> Self {
        Self::with_store(None)
    }

    fn with_store(store: Option<&Path>) -> Self {
        let place = tempfile::tempdir().unwrap();
        for name in ["first", "other"] {
            write_model(&place.path().join(name), "phantom", name, 1.0);
        }
        let metrics = Metrics::new();
        let opener = ModelOpener {
            runtime: runtime().clone(),
            options: EngineOptions {
                replicas: Replicas::Count(1),
                queue_limits: queue_limits(64),
            },
            metrics: metrics.clone(),
        };
        let folders = ModelFolder::at(place.path());
        let models = folders.into_iter().map(|folder| opener.load(folder).unwrap());
        let (sources, models) = models.unzip();
        let mut models = Models::new(models, Some("first")).unwrap();
        if let Some(folder) = store {
            models = models
                .with_store(Store::open(folder.to_owned()).unwrap())
                .unwrap();
        }
        let configured = vec![place.path().to_owned()];
        let loader = ModelLoader::new(models.clone(), opener, configured, sources);
        Self {
            client: Client::with_loader(models, loader.clone(), metrics.clone()),
            loader,
            metrics,
            place,
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    async fn send(&self, method: &str, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        self.client.send(request.body(Body::empty()).unwrap()).await
    }

    /// Loads a model; returns the status and the body.
    async fn put(&self, name: &str) -> (StatusCode, Value) {
        let response = self.send("PUT", &format!("/v1/models/{name}")).await;
        (response.status, response.json())
    }

    async fn delete(&self, name: &str) -> StatusCode {
        self.send("DELETE", &format!("/v1/models/{name}")).await.status
    }

    /// The names of the loaded models.
    async fn names(&self) -> Vec<String> {
        let list = self.client.get("/v1/models").await.json();
        let models = list["models"].as_array().unwrap().iter();
        models
            .map(|model| model["name"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn digest(&self, name: &str) -> String {
        let model = self.client.get(&format!("/v1/models/{name}")).await;
        assert_eq!(model.status, StatusCode::OK);
        model.json()["digest"].as_str().unwrap().to_owned()
    }

    /// Does something with the loader that async threads may not do.
    async fn with_loader(&self, work: fn(&ModelLoader)) {
        let loader = self.loader.clone();
        tokio::task::spawn_blocking(move || work(&loader)).await.unwrap();
    }

    async fn look(&self) {
        self.with_loader(ModelLoader::look).await;
    }

    /// How many loads ended like this.
    fn loads(&self, outcome: &str) -> u32 {
        let text = self.metrics.text();
        let name = format!("faceplane_model_loads_total{{outcome=\"{outcome}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&name));
        line.expect("each outcome is exported from the start")
            .parse()
            .unwrap()
    }
}
