//! Test support: a small generator in ndarray, models that use it, and a client of the router.

mod response;

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use faceplane::api::{Access, Api, JobPublisher, Limits, Readiness, TransferLimits, router};
use faceplane::catalog::{Graph, Manifest, ModelFiles, ModelFolder};
use faceplane::editor::{LoadError, Model, ModelLoader, Models};
use faceplane::engine::{
    Classifier, Device, Encoder, Engine, EngineError, EngineOptions, Generator, GeneratorShape, Gradient,
    Mapping, Networks, QueueLimits, Replicas, Runtime, SynthesisInput,
};
use faceplane::latent::{Accuracy, Boundary, LatentSpace, Provenance};
use faceplane::metrics::Metrics;
use faceplane::server::{self, ConnectionLimits};
use ndarray::{Array2, Array4, ArrayView2, ArrayView3, ArrayView4, Axis};
use serde_json::Value;
use tower::ServiceExt as _;

pub(crate) use response::{Response, numbers};

pub(crate) const DIM: usize = 4;
pub(crate) const LAYERS: usize = 3;

/// A generator with predictable images: layer c of the w+ code makes the stripes of channel c. Its model is named `sketch`.
pub(crate) struct StripeGenerator {
    shape: GeneratorShape,
}

impl StripeGenerator {
    pub(crate) fn new() -> Self {
        let shape = GeneratorShape {
            z_dim: DIM,
            w_dim: DIM,
            synthesis: SynthesisInput::WPlus { layers: LAYERS },
            height: 8,
            width: 8,
            largest_batch: 4,
            styles: Err("this generator has none".to_owned()),
        };
        Self { shape }
    }
}

impl Generator for StripeGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        let size = (codes.len_of(Axis(0)), 3, 8, 8);
        Ok(Array4::from_shape_fn(size, |(image, channel, row, column)| {
            codes[[image, channel, (row + column) % DIM]].tanh()
        }))
    }
}

/// A mapping that reverses z.
struct ReversingMapping;

impl Mapping for ReversingMapping {
    fn map(
        &mut self,
        z: ArrayView2<'_, f32>,
        _: Option<ArrayView2<'_, f32>>,
    ) -> Result<Array2<f32>, EngineError> {
        Ok(z.slice_axis(Axis(1), ndarray::Slice::new(0, None, -1)).to_owned())
    }
}

/// Scores smile by the mean of the red channel, and age by that of the green one.
pub(crate) struct ChannelMeans;

impl Classifier for ChannelMeans {
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let size = (images.len_of(Axis(0)), 2);
        Ok(Array2::from_shape_fn(size, |(image, channel)| {
            let pixels = images.index_axis(Axis(0), image);
            pixels
                .index_axis(Axis(0), channel)
                .mean()
                .expect("an image has pixels")
        }))
    }
}

const MANIFEST: &str = r#"
name = "sketch"
description = "Stripes."
license = "MIT"
[generator]
mapping = "mapping.onnx"
synthesis = "synthesis.onnx"
rescale_z = false
[truncation]
w_avg = "w_avg.npy"
[[classifiers]]
file = "classifier.onnx"
outputs = [
  { attribute = "smile", kind = "value", threshold = 0.0, positive = "red" },
  { attribute = "age", kind = "value", threshold = 0.0 },
]
"#;

/// Smile and age in z, with cosine 0.6; smile, age and a copy of smile in w.
fn boundaries() -> Vec<(String, Boundary)> {
    let provenance = Provenance {
        samples: Some(1000),
        accuracy: Accuracy {
            held_out: Some(0.97),
            ..Accuracy::default()
        },
        ..Provenance::default()
    };
    let boundary = |attribute: &str, space, normal: [f64; DIM], intercept| {
        let normal = Array2::from_shape_vec((1, DIM), normal.to_vec()).unwrap();
        let boundary = Boundary::new(attribute, space, normal, intercept, provenance.clone()).unwrap();
        (format!("{attribute}_{space}.npy"), boundary)
    };
    vec![
        boundary("smile", LatentSpace::Z, [1.0, 0.0, 0.0, 0.0], 0.0),
        boundary("age", LatentSpace::Z, [0.6, 0.8, 0.0, 0.0], 0.5),
        boundary("smile", LatentSpace::W, [0.0, 0.0, 0.0, 1.0], 0.0),
        boundary("age", LatentSpace::W, [0.0, 0.0, 0.8, 0.6], 0.25),
        boundary("grin", LatentSpace::W, [0.0, 0.0, 0.0, 2.0], 0.0),
    ]
}

/// A model of this generator and the classifier above, with a queue of `queue` images.
pub(crate) fn model_of(generator: impl Generator, queue: usize) -> Model {
    model_with_metrics(generator, queue, &Metrics::new())
}

/// A model of this generator, the classifier above, and an encoder of codes in w.
pub(crate) fn model_with_encoder(generator: impl Generator, encoder: impl Encoder) -> Model {
    model_with_inversion(generator, Some(Box::new(encoder)), None, 64, &Metrics::new())
}

fn model_with_metrics(generator: impl Generator, queue: usize, metrics: &Metrics) -> Model {
    model_with_inversion(generator, None, None, queue, metrics)
}

fn model_with_inversion(
    generator: impl Generator,
    encoder: Option<Box<dyn Encoder>>,
    gradient: Option<Box<dyn Gradient>>,
    queue: usize,
    metrics: &Metrics,
) -> Model {
    let empty_graph = |file: &str| Graph::new(file.to_owned(), Vec::new().into());
    let files = ModelFiles {
        manifest_file: "manifest.toml".to_owned(),
        manifest: Manifest::parse(MANIFEST, "manifest.toml").unwrap(),
        mapping: Some(empty_graph("mapping.onnx")),
        synthesis: empty_graph("synthesis.onnx"),
        w_avg: Some(("w_avg.npy".to_owned(), vec![0.1, 0.2, 0.3, 0.4])),
        classifiers: Vec::new(),
        encoder: None,
        encoder_errors: None,
        landmarks: None,
        identity: None,
        gradient: None,
        boundaries: boundaries(),
        digest: "0123456789abcdef".repeat(4),
        folder: ModelFolder::Bundled,
    };
    let networks = Networks {
        mapping: Some(Box::new(ReversingMapping)),
        styles: crate::styled_generator::SumStyles::of(&generator),
        generators: vec![Box::new(generator)],
        lazy_replicas: Vec::new(),
        classifiers: vec![Box::new(ChannelMeans)],
        encoder,
        landmarker: None,
        recognizer: None,
        gradient,
        score_gradients: None,
    };
    let engine = Engine::start("sketch", networks, queue_limits(queue), metrics);
    Model::new(files, engine).unwrap()
}

/// Limits of `capacity` images and no batch wait.
pub(crate) fn queue_limits(capacity: usize) -> QueueLimits {
    QueueLimits {
        capacity,
        longest_wait: Duration::MAX,
        batch_wait: Duration::ZERO,
    }
}

/// ONNX Runtime, loaded once.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let path = std::env::var_os("FACEPLANE_ONNXRUNTIME").map(PathBuf::from);
        Runtime::load(path.as_deref(), Device::Cpu, None).expect("`make setup` fetches ONNX Runtime")
    });
    &RUNTIME
}

/// Loads the model of a folder.
pub(crate) fn load(folder: &Path) -> Result<Model, LoadError> {
    let options = EngineOptions {
        replicas: Replicas::Count(1),
        queue_limits: queue_limits(64),
    };
    let folder = ModelFolder::Disk(folder.to_owned());
    Model::load(&folder, runtime(), options, &Metrics::new())
}

/// The folder of the portraits model.
pub(crate) fn portraits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/portraits")
}

/// The bundled model. It is loaded once, but each call returns boundaries of its own, which a test may change.
pub(crate) fn phantom() -> Models {
    static MODEL: LazyLock<Model> = LazyLock::new(|| {
        let options = EngineOptions {
            replicas: Replicas::Count(2),
            queue_limits: queue_limits(64),
        };
        Model::load(&ModelFolder::Bundled, runtime(), options, &Metrics::new())
            .expect("the bundled model loads")
    });
    Models::new(vec![MODEL.clone()], None).unwrap()
}

/// Limits of requests that few tests reach.
fn limits(timeout: Duration) -> Limits {
    Limits {
        max_images: 16,
        timeout,
        cache_bytes: 1 << 20,
        image_pixels: 25_000_000,
        memory_bytes: 256 << 20,
    }
}

/// Limits on the time of connections that no test reaches.
pub(crate) const LONG: ConnectionLimits = ConnectionLimits {
    idle: Duration::from_mins(1),
    drain: Duration::from_mins(1),
    transfer: TransferLimits {
        patience: Duration::from_mins(1),
        bytes_per_second: 1,
        longest: Duration::from_mins(1),
    },
};

/// A client of a router.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) router: Router,
    pub(crate) readiness: Readiness,
}

impl Client {
    pub(crate) fn new(models: Models, timeout: Duration) -> Self {
        Self::with_metrics(models, timeout, Metrics::new())
    }

    fn with_metrics(models: Models, timeout: Duration, metrics: Metrics) -> Self {
        let access = Access::new(&[], None).unwrap();
        Self::with_limits(models, limits(timeout), metrics, access)
    }

    /// A client of a service that loads and drops models.
    pub(crate) fn with_loader(models: Models, loader: ModelLoader, metrics: Metrics) -> Self {
        let readiness = Readiness::default();
        let api = Api::new(models, limits(Duration::from_mins(5)), metrics, readiness.clone());
        let router = router(api.with_loader(loader), Access::new(&[], None).unwrap());
        Self { router, readiness }
    }

    /// A client of a service that shares the jobs in the store of its models, and what writes them. Nothing writes them by itself but
    /// their beginning.
    pub(crate) fn sharing(models: Models, service: &str) -> (Self, JobPublisher) {
        let readiness = Readiness::default();
        let limits = limits(Duration::from_mins(5));
        let api = Api::new(models, limits, Metrics::new(), readiness.clone()).with_shared_jobs(service);
        let publisher = JobPublisher::new(&api).expect("the models have a store");
        let router = router(api, Access::new(&[], None).unwrap());
        (Self { router, readiness }, publisher)
    }

    fn with_limits(models: Models, limits: Limits, metrics: Metrics, access: Access) -> Self {
        let readiness = Readiness::default();
        let router = router(Api::new(models, limits, metrics, readiness.clone()), access);
        Self { router, readiness }
    }

    /// A client of the small generator.
    pub(crate) fn sketch() -> Self {
        Self::with_generator(StripeGenerator::new())
    }

    /// A client of the small generator, whose service is as `change` makes it.
    pub(crate) fn sketch_of(change: impl FnOnce(Api) -> Api) -> Self {
        let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
        let readiness = Readiness::default();
        let limits = limits(Duration::from_mins(1));
        let api = change(Api::new(models, limits, Metrics::new(), readiness.clone()));
        let router = router(api, Access::new(&[], None).unwrap());
        Self { router, readiness }
    }

    /// A client of the small generator, whose service has other rules for web pages and hosts.
    pub(crate) fn sketch_with_access(access: Access) -> Self {
        let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
        Self::with_limits(models, limits(Duration::from_mins(1)), Metrics::new(), access)
    }

    /// A client of the small generator, in a service with a memory budget of `bytes` and no cache.
    pub(crate) fn with_memory(bytes: usize) -> Self {
        let models = Models::new(vec![model_of(StripeGenerator::new(), 64)], None).unwrap();
        Self::of_models_with_memory(models, bytes)
    }

    /// A client of these models, in a service with a memory budget of `bytes` and no cache.
    pub(crate) fn of_models_with_memory(models: Models, bytes: usize) -> Self {
        let limits = Limits {
            cache_bytes: 0,
            memory_bytes: bytes,
            ..limits(Duration::from_mins(1))
        };
        Self::with_limits(models, limits, Metrics::new(), Access::new(&[], None).unwrap())
    }

    /// A client of a model with the given generator.
    pub(crate) fn with_generator(generator: impl Generator) -> Self {
        let metrics = Metrics::new();
        let models = Models::new(vec![model_with_metrics(generator, 64, &metrics)], None).unwrap();
        Self::with_metrics(models, Duration::from_mins(1), metrics)
    }

    /// A client of the small generator with the given gradient network.
    pub(crate) fn with_gradient(gradient: impl Gradient) -> Self {
        Self::with_inversion(None, Box::new(gradient))
    }

    /// A client of the small generator with the given encoder and gradient network.
    pub(crate) fn with_inversion(encoder: Option<Box<dyn Encoder>>, gradient: Box<dyn Gradient>) -> Self {
        let metrics = Metrics::new();
        let model = model_with_inversion(StripeGenerator::new(), encoder, Some(gradient), 64, &metrics);
        let models = Models::new(vec![model], None).unwrap();
        Self::with_metrics(models, Duration::from_mins(1), metrics)
    }

    /// Serves the router on a socket.
    pub(crate) async fn listen(&self) -> std::net::SocketAddr {
        self.listen_with(LONG).await
    }

    /// Serves the router on a socket, with limits on the time of connections.
    pub(crate) async fn listen_with(&self, limits: ConnectionLimits) -> std::net::SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, readiness) = (self.router.clone(), self.readiness.clone());
        tokio::spawn(server::run(listener, router, readiness, limits, pending()));
        address
    }

    /// Sends a request, and returns its response before its body is read.
    pub(crate) async fn begin(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let response = self.begin(request).await;
        let (parts, body) = response.into_parts();
        Response {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap().to_vec(),
        }
    }

    pub(crate) async fn get(&self, uri: &str) -> Response {
        self.send(Request::get(uri).body(Body::empty()).unwrap()).await
    }

    /// Posts `body` as JSON, exactly as it is.
    pub(crate) async fn post_text(&self, uri: &str, body: impl Into<Body>) -> Response {
        let request = Request::post(uri).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn post(&self, uri: &str, body: Value) -> Response {
        self.post_text(uri, body.to_string()).await
    }
}
