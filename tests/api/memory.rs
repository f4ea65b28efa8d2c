//! The memory budget: what is under way takes a bounded number of bytes, and small requests pass while large ones hold them.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::api::refusals::{UNDECODABLE, VALUE, check};
use crate::api::training::{PATH, codes, file};
use crate::support::{Client, Response};

/// The budget of these tests: bodies may take half of it.
const MEMORY: usize = 1 << 20;

/// What the small generator says when it has received an image.
const RECEIVED: &str = "cannot invert images";

/// A body that has not arrived as a whole.
struct HeldBody {
    rest: UnboundedSender<Bytes>,
    response: JoinHandle<Response>,
}

impl HeldBody {
    /// Sends all but the last byte of a body of `length` bytes.
    fn send(client: &Client, length: usize) -> Self {
        let (rest, mut chunks) = unbounded_channel();
        let chunks = stream::poll_fn(move |context| {
            chunks
                .poll_recv(context)
                .map(|chunk| chunk.map(Ok::<_, std::io::Error>))
        });
        let request = Request::post("/v1/score")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header(header::CONTENT_LENGTH, length);
        let request = request.body(Body::from_stream(chunks)).unwrap();
        rest.send(vec![7; length - 1].into()).unwrap();
        let client = client.clone();
        let response = tokio::spawn(async move { client.send(request).await });
        Self { rest, response }
    }

    /// Sends the last byte.
    async fn finish(self) -> Response {
        self.rest.send(Bytes::from_static(&[7])).unwrap();
        drop(self.rest);
        self.response.await.unwrap()
    }
}

/// The value of a metric.
async fn metric(client: &Client, name: &str) -> usize {
    let text = String::from_utf8(client.get("/metrics").await.body).unwrap();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

/// Waits until `bytes` are reserved.
async fn reserved(client: &Client, bytes: usize) {
    while metric(client, "faceplane_memory_reserved_bytes").await != bytes {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn bodies_that_do_not_end_hold_memory_up_to_a_limit_and_give_it_back() {
    let client = Client::with_memory(MEMORY);
    let held = [HeldBody::send(&client, 250_000), HeldBody::send(&client, 250_000)];
    reserved(&client, 500_000).await;
    let refused = HeldBody::send(&client, 100_000);
    let refused = refused.response.await.unwrap();
    check(
        "a third body",
        &refused,
        503,
        "short of memory: found 0.0 MiB free of 0.5 MiB",
    );
    assert_eq!(refused.json()["type"], "urn:faceplane:problem:memory");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(metric(&client, "faceplane_memory_refused_total").await, 1);
    // Small requests pass.
    assert_eq!(client.get("/v1/sample?seed=7").await.status, 200);
    let small = client
        .post(
            "/v1/sample",
            json!({"latent": {"space": "w", "values": [1, 2, 3, 4]}}),
        )
        .await;
    assert_eq!(small.status, 200);
    let small = HeldBody::send(&client, 64 * 1024).finish().await;
    check("a small body", &small, VALUE, RECEIVED);
    for body in held {
        check("a held body", &body.finish().await, VALUE, RECEIVED);
    }
    let after = HeldBody::send(&client, 400_000).finish().await;
    check("a body afterwards", &after, VALUE, RECEIVED);
}

#[tokio::test]
async fn a_client_that_goes_away_gives_its_memory_back() {
    let client = Client::with_memory(MEMORY);
    let held = HeldBody::send(&client, 500_000);
    reserved(&client, 500_000).await;
    held.response.abort();
    reserved(&client, 0).await;
}

#[tokio::test]
async fn a_body_that_can_never_fit_is_too_large() {
    let client = Client::with_memory(MEMORY);
    let request = Request::post("/v1/score").header(header::CONTENT_TYPE, "image/png");
    let response = client
        .send(request.body(Body::from(vec![7; 600_000])).unwrap())
        .await;
    check(
        "of unknown length",
        &response,
        413,
        "expected at most 0.5 MiB; send less, or start the service with a larger --memory",
    );
    let known = HeldBody::send(&client, 600_000).response.await.unwrap();
    check("of known length", &known, 413, "needs 0.6 MiB of memory");
    let text = json!({"image": "A".repeat(300_000)}).to_string();
    let decoded = client.post_text("/v1/score", text).await;
    check("with its decoded file", &decoded, 413, "needs 0.6 MiB of memory");
    assert_eq!(metric(&client, "faceplane_memory_reserved_bytes").await, 0);
}

#[tokio::test]
async fn the_codes_of_jobs_are_in_the_budget() {
    let client = Client::with_memory(MEMORY);
    let body = json!({"attributes": ["smile"], "space": "w", "samples": 100_000});
    let response = client.post(PATH, body).await;
    check(
        "samples",
        &response,
        VALUE,
        "use fewer, or start the service with a larger --memory",
    );
    let client = Client::with_memory(12 << 20);
    let (values, scores) = codes();
    let body = json!({
        "attributes": ["beard"], "space": "w", "chosen": 60,
        "codes": file(vec![200, 4], values), "scores": file(vec![200], scores),
    });
    let job = crate::api::training::run(&client, PATH, body.clone()).await;
    assert_eq!(job["status"], "done", "{job}");
    reserved(&client, 0).await;
    let client = Client::with_memory(8 << 20);
    check(
        "codes",
        &client.post(PATH, body).await,
        413,
        "expected at most 4.0 MiB",
    );
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

async fn post_encoded(client: &Client, encoding: &str, kind: &str, body: Vec<u8>) -> Response {
    let request = Request::post("/v1/score")
        .header(header::CONTENT_TYPE, kind)
        .header(header::CONTENT_ENCODING, encoding)
        .header(header::CONTENT_LENGTH, body.len());
    client.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn bodies_packed_by_gzip_are_unpacked() {
    let client = Client::sketch();
    let plain = client.post("/v1/score", json!({"seed": 7})).await;
    for encoding in ["gzip", "x-gzip", "GZIP"] {
        let body = packed(b"{\"seed\": 7}");
        let response = post_encoded(&client, encoding, "application/json", body).await;
        assert_eq!(
            (response.status.as_u16(), response.body),
            (200, plain.body.clone())
        );
    }
    let twice = [packed(b"{\"seed\""), packed(b": 7}")].concat();
    let response = post_encoded(&client, "gzip", "application/json", twice).await;
    assert_eq!(response.body, plain.body, "a file of two members");
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno image\r\n--x--\r\n";
    let response = post_encoded(
        &client,
        "gzip",
        "multipart/form-data; boundary=x",
        packed(form.as_bytes()),
    )
    .await;
    check("a form", &response, VALUE, RECEIVED);
    let mut cut = packed(b"{\"seed\": 7}");
    cut.truncate(20);
    let response = post_encoded(&client, "gzip", "application/json", cut).await;
    check(
        "a cut file",
        &response,
        UNDECODABLE,
        "gzip, and it cannot be unpacked",
    );
    let response = post_encoded(&client, "br", "application/json", b"{}".to_vec()).await;
    check(
        "brotli",
        &response,
        415,
        "the Content-Encoding of the body is br, expected gzip or none",
    );
    let response = post_encoded(&client, "gzip, gzip", "application/json", b"{}".to_vec()).await;
    check("two encodings", &response, 415, "expected gzip or none");
}

#[tokio::test]
async fn a_small_gzip_file_that_unpacks_to_a_large_one_is_refused() {
    let bomb = packed(&vec![b' '; 40 << 20]);
    assert!(bomb.len() < 64 * 1024);
    let response = post_encoded(&Client::sketch(), "gzip", "application/json", bomb.clone()).await;
    check(
        "beyond the limit of the route",
        &response,
        413,
        "the body is larger than",
    );
    let client = Client::with_memory(MEMORY);
    let response = post_encoded(&client, "gzip", "application/json", bomb).await;
    check("beyond the memory", &response, 413, "expected at most 0.5 MiB");
    assert_eq!(metric(&client, "faceplane_memory_reserved_bytes").await, 0);
}

#[tokio::test]
async fn responses_that_are_not_read_hold_memory_and_stop_new_work() {
    let client = Client::with_memory(1000);
    let request = || {
        let request = Request::post("/v1/sample").header(header::CONTENT_TYPE, "application/json");
        request.body(Body::from("{\"seed\": 7}")).unwrap()
    };
    let mut unread = Vec::new();
    let refused = loop {
        let response = client.begin(request()).await;
        if response.status() != 200 {
            break response;
        }
        unread.push(response);
    };
    assert!((1..10).contains(&unread.len()), "{}", unread.len());
    assert_eq!(refused.status(), 503);
    assert!(metric(&client, "faceplane_memory_reserved_bytes").await >= 1000);
    drop(unread);
    assert_eq!(metric(&client, "faceplane_memory_reserved_bytes").await, 0);
    assert_eq!(client.send(request()).await.status, 200);
}
