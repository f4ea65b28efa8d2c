//! Layouts that send an image file for each face: archives and streams.

use std::io::{Cursor, Read as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::imaging::read_metadata;
use futures_util::StreamExt as _;
use ndarray::{Array4, ArrayView3};
use serde_json::Value;
use zip::{CompressionMethod, ZipArchive};

use crate::support::{Client, Response, StripeGenerator};

/// The names and contents of the files of an archive, in their order.
pub(crate) fn files_of(response: &Response) -> Vec<(String, Vec<u8>)> {
    assert_eq!(
        response.header("content-type"),
        Some("application/zip"),
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let mut archive = ZipArchive::new(Cursor::new(&response.body)).unwrap();
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        assert_eq!(entry.compression(), CompressionMethod::Stored);
        let mut file = Vec::new();
        entry.read_to_end(&mut file).unwrap();
        files.push((entry.name().unwrap().into_owned(), file));
    }
    files
}

/// The parts of a stream: the media type and the content of each.
fn parts_of(response: &Response) -> Vec<(String, Vec<u8>)> {
    assert_eq!(
        response.header("content-type"),
        Some("multipart/x-mixed-replace; boundary=frame"),
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let mut rest = response
        .body
        .strip_prefix(b"--frame\r\n")
        .expect("a first boundary");
    let mut parts = Vec::new();
    loop {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&rest[..end]).unwrap();
        let field = |name| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let length: usize = field("Content-Length: ").parse().unwrap();
        let (content, after) = rest[end + 4..].split_at(length);
        parts.push((field("Content-Type: ").to_owned(), content.to_vec()));
        if after == b"\r\n--frame--\r\n" {
            return parts;
        }
        rest = after.strip_prefix(b"\r\n--frame\r\n").expect("a boundary");
    }
}

#[tokio::test]
async fn an_archive_has_the_file_that_each_face_has_alone() {
    let client = Client::sketch();
    for format in ["png", "jpeg", "webp", "gif"] {
        let uri = format!("/v1/sample?seed=7&count=3&layout=zip&metadata=none&format={format}");
        let files = files_of(&client.get(&uri).await);
        for ((name, file), seed) in files.iter().zip(7..) {
            assert_eq!(*name, format!("seed{seed}.{format}"));
            let uri = format!("/v1/sample?seed={seed}&metadata=none&format={format}");
            assert!(client.get(&uri).await.body == *file, "{name}");
        }
        assert_eq!(files.len(), 3);
    }
}

#[tokio::test]
async fn each_png_of_an_archive_carries_its_code_and_the_archive_has_an_etag() {
    let client = Client::sketch();
    let uri = "/v1/edit?seed=7&edit=smile&trajectory=-1:1:3&layout=zip";
    let response = client.get(uri).await;
    assert!(response.header("etag").is_some());
    let files = files_of(&response);
    let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["face0.png", "face1.png", "face2.png"]);
    let mut codes = Vec::new();
    for (_, file) in &files {
        let text = read_metadata(file).recipe.unwrap();
        let metadata: Value = serde_json::from_str(&text).unwrap();
        codes.push(metadata["latent"].clone());
    }
    assert!(codes[0].is_object() && codes[0] != codes[1]);
    // Another service makes the same bytes.
    assert!(Client::sketch().get(uri).await.body == response.body);
}

#[tokio::test]
async fn a_stream_has_the_file_of_each_face_in_order() {
    let client = Client::sketch();
    for query in [
        "sample?seed=7&count=6",
        "edit?seed=7&edit=smile&trajectory=-1:1:5",
        "interpolate?seeds=7,8&frames=9&format=jpeg",
    ] {
        let zip = client.get(&format!("/v1/{query}&layout=zip")).await;
        let files = files_of(&zip);
        let stream = client.get(&format!("/v1/{query}&layout=stream")).await;
        assert_eq!(stream.header("cache-control"), Some("no-store"));
        let parts = parts_of(&stream);
        assert_eq!(parts.len(), files.len(), "{query}");
        for ((kind, part), (name, file)) in parts.iter().zip(&files) {
            let extension = name.rsplit('.').next().unwrap();
            assert_eq!(*kind, format!("image/{extension}"));
            assert!(part == file, "{query} {name}");
        }
    }
    let seeds = client.get("/v1/sample?seed=7&count=2&layout=stream").await;
    assert_eq!(seeds.header("faceplane-seed"), Some("7, 8"));
}

#[tokio::test]
async fn a_container_of_images_is_not_json_and_a_client_may_accept_it_alone() {
    let client = Client::sketch();
    for layout in ["zip", "stream"] {
        let uri = format!("/v1/sample?seed=7&count=2&layout={layout}");
        let response = client.get(&format!("{uri}&format=json")).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(response.json()["field"], "layout");
        for accept in ["application/zip, multipart/x-mixed-replace", "*/*"] {
            let request = Request::get(&uri).header("accept", accept);
            let response = client.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status, StatusCode::OK, "{accept}");
        }
    }
}

#[tokio::test]
async fn a_problem_before_the_first_face_is_an_ordinary_error() {
    let client = Client::sketch();
    for query in [
        "sample?seed=7&count=17",
        "edit?seed=7&edit=smile:1&layers=9",
        "interpolate?seeds=7&frames=4",
    ] {
        let response = client.get(&format!("/v1/{query}&layout=stream")).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
    }
}

/// A generator that makes one image for each token that it gets, and counts them.
struct GatedGenerator {
    shape: GeneratorShape,
    stripes: StripeGenerator,
    tokens: Mutex<Receiver<()>>,
    made: Arc<AtomicUsize>,
}

impl GatedGenerator {
    fn new() -> (Self, Sender<()>, Arc<AtomicUsize>) {
        let (sender, receiver) = channel();
        let stripes = StripeGenerator::new();
        let shape = GeneratorShape {
            largest_batch: 1,
            ..stripes.shape().clone()
        };
        let made = Arc::new(AtomicUsize::new(0));
        let generator = Self {
            shape,
            stripes,
            tokens: Mutex::new(receiver),
            made: Arc::clone(&made),
        };
        (generator, sender, made)
    }
}

impl Generator for GatedGenerator {
    fn shape(&self) -> &GeneratorShape {
        &self.shape
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        // Without a sender, the test is over.
        let _ = self.tokens.lock().unwrap().recv();
        self.made.fetch_add(1, Ordering::SeqCst);
        self.stripes.synthesize(codes)
    }
}

#[tokio::test]
async fn a_face_is_sent_before_the_next_one_is_made() {
    let (generator, tokens, made) = GatedGenerator::new();
    let client = Client::with_generator(generator);
    tokens.send(()).unwrap();
    let uri = "/v1/interpolate?seeds=7,8&frames=4&layout=stream";
    let response = client.begin(Request::get(uri).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    for frame in 1..=4 {
        let part = body.next().await.unwrap().unwrap();
        let last: &[u8] = if frame == 4 {
            b"\r\n--frame--\r\n"
        } else {
            b"\r\n--frame\r\n"
        };
        assert!(part.ends_with(last), "{frame}");
        assert_eq!(made.load(Ordering::SeqCst), frame);
        // The generator waits for this token, so no other face was made before this part arrived.
        tokens.send(()).unwrap();
    }
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn the_faces_that_a_client_does_not_wait_for_are_not_made() {
    let (generator, tokens, made) = GatedGenerator::new();
    let client = Client::with_generator(generator);
    tokens.send(()).unwrap();
    let uri = "/v1/sample?seed=7&count=8&layout=stream";
    let response = client.begin(Request::get(uri).body(Body::empty()).unwrap()).await;
    let mut body = response.into_body().into_data_stream();
    body.next().await.unwrap().unwrap();
    drop(body);
    drop(tokens);
    // One face was made, and another one may have been under way. This request comes after both.
    assert_eq!(client.get("/v1/sample?seed=1").await.status, StatusCode::OK);
    assert!(made.load(Ordering::SeqCst) <= 3, "{made:?}");
}
