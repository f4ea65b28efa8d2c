//! Readiness proves that generators work: it turns red when one makes no image, and green when it does again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use faceplane::api::{Access, Api, Limits, Readiness, router};
use faceplane::editor::{DeviceProof, Models, ProofTimes};
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::metrics::Metrics;
use ndarray::{Array4, ArrayView3};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Client, StripeGenerator, model_of};

/// A generator that a test breaks.
struct BreakableGenerator {
    generator: StripeGenerator,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    runs: AtomicUsize,
    fails: AtomicBool,
    hangs: AtomicBool,
}

impl Generator for BreakableGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.generator.shape()
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        self.state.runs.fetch_add(1, Ordering::SeqCst);
        while self.state.hangs.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.state.fails.load(Ordering::SeqCst) {
            return Err(EngineError::Run {
                network: "synthesis.onnx".to_owned(),
                reason: "CUDA error 999: the device is lost".to_owned(),
            });
        }
        self.generator.synthesize(codes)
    }
}

/// A service with a breakable generator. Its proofs may take 50 ms.
fn service() -> (Client, DeviceProof, Arc<State>) {
    let state = Arc::<State>::default();
    let generator = BreakableGenerator {
        generator: StripeGenerator::new(),
        state: Arc::clone(&state),
    };
    let models = Models::new(vec![model_of(generator, 64)], None).unwrap();
    let times = ProofTimes {
        interval: Duration::from_millis(5),
        limit: Duration::from_millis(50),
    };
    let proof = DeviceProof::new(models.clone(), times);
    let readiness = Readiness::default().with_proof(proof.failure());
    let limits = Limits {
        max_images: 16,
        timeout: Duration::from_mins(1),
        cache_bytes: 0,
        image_pixels: 1_000_000,
        memory_bytes: 256 << 20,
    };
    let api = Api::new(models, limits, Metrics::new(), readiness.clone());
    let router = router(api, Access::new(&[], None).unwrap());
    (Client { router, readiness }, proof, state)
}

/// Gets a path over a connection, and returns the response.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    socket.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn readiness_turns_red_while_the_generator_fails_or_hangs_and_green_when_it_works_again() {
    let (client, proof, state) = service();
    let address = client.listen().await;
    tokio::spawn(proof.follow());
    for (flag, cause) in [
        (&state.fails, "the device is lost"),
        (&state.hangs, "it did not within"),
    ] {
        flag.store(true, Ordering::SeqCst);
        let red = loop {
            let response = get(address, "/health/ready").await;
            if response.starts_with("HTTP/1.1 503 ") {
                break response;
            }
        };
        let says = |text: &str| red.contains(text);
        assert!(
            says("urn:faceplane:problem:no-image") && says("model sketch") && says(cause),
            "{red}"
        );
        assert!(get(address, "/health/live").await.starts_with("HTTP/1.1 200 "));
        flag.store(false, Ordering::SeqCst);
        while !get(address, "/health/ready").await.starts_with("HTTP/1.1 200 ") {}
    }
}

#[tokio::test]
async fn a_generator_that_has_made_images_for_requests_makes_none_for_proofs() {
    let (client, mut proof, state) = service();
    let runs = || state.runs.load(Ordering::SeqCst);
    proof.round().await;
    assert_eq!(runs(), 1);
    for _ in 0..3 {
        assert_eq!(client.get("/v1/sample?seed=7").await.status, 200);
        let before = runs();
        proof.round().await;
        assert_eq!(runs(), before, "the request's run is the proof");
    }
    state.fails.store(true, Ordering::SeqCst);
    assert_eq!(client.get("/v1/sample?seed=7").await.status, 500);
    // The rest after the last proof ends some time.
    while proof.failure().get().is_none() {
        proof.round().await;
    }
    state.fails.store(false, Ordering::SeqCst);
    proof.round().await;
    assert_eq!(proof.failure().get(), None);
}
