//! The limits on connections: idle clients, clients that send or take too slowly, and those that only wait.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::routing::{MethodRouter, get};
use faceplane::api::{Readiness, TransferLimits};
use faceplane::server::{self, ConnectionLimits};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::support::{Client, LONG};

const REQUEST: &str = "GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n";

/// The time after which a test fails that waits for the service.
const NEVER: Duration = Duration::from_mins(1);

/// Connections without a request are closed soon.
const SHORT_IDLE: ConnectionLimits = ConnectionLimits {
    idle: Duration::from_millis(50),
    ..LONG
};

/// Clients are not waited for long.
const IMPATIENT: ConnectionLimits = ConnectionLimits {
    transfer: TransferLimits {
        patience: Duration::from_millis(50),
        ..LONG.transfer
    },
    ..LONG
};

/// Everything that the service sends on a new connection after `sent`, until it closes the connection.
async fn received(address: SocketAddr, sent: &str) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(sent.as_bytes()).await.unwrap();
    rest(&mut socket).await
}

/// Everything that the service sends until it closes the connection.
async fn rest(socket: &mut TcpStream) -> String {
    let mut received = Vec::new();
    // The service may also reset the connection.
    let closed = timeout(NEVER, socket.read_to_end(&mut received)).await;
    assert!(closed.is_ok(), "the service should close the connection");
    String::from_utf8_lossy(&received).into_owned()
}

/// Serves a router of the test.
async fn serve(router: Router, limits: ConnectionLimits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = std::future::pending();
    tokio::spawn(server::run(
        listener,
        router,
        Readiness::default(),
        limits,
        shutdown,
    ));
    address
}

/// A body of one chunk that reports its end, also if it was not sent to its end.
struct ReportedBody {
    chunk: Option<Bytes>,
    _end: UnboundedSender<Infallible>,
}

impl HttpBody for ReportedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().chunk.take().map(Frame::data).map(Ok))
    }
}

/// A route that responds to its only request with `body`.
fn once(body: Body) -> MethodRouter {
    let body = Arc::new(Mutex::new(Some(body)));
    get(async move || body.lock().unwrap().take().expect("one request"))
}

/// A router with a large response at `/large`, and a receiver that ends when the response and the router are dropped.
fn large_answer() -> (Router, UnboundedReceiver<Infallible>) {
    let (end, ended) = unbounded_channel();
    let chunk = Some(Bytes::from(vec![b'x'; 64 << 20]));
    let large = once(Body::new(ReportedBody { chunk, _end: end }));
    let router = Router::new().route("/large", large).route("/", get(async || ()));
    (router, ended)
}

#[tokio::test]
async fn a_connection_without_a_complete_request_is_closed_after_the_idle_timeout() {
    let client = Client::sketch();
    let address = client.listen_with(SHORT_IDLE).await;
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for sent in [
        "",
        "P",
        "GET",
        "GET /health/live HTTP/1.1\r\nHost: test\r\n",
        "PRI * HTTP/2.0",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r",
        http2,
    ] {
        let response = received(address, sent).await;
        assert!(!response.contains("HTTP/1.1 200"), "{sent:?}: {response:?}");
        assert_eq!(
            response.is_empty(),
            sent != http2,
            "{sent:?} is not a complete request: {response:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_has_several_requests_and_is_closed_when_no_further_one_comes() {
    let client = Client::sketch();
    let address = client.listen_with(LONG).await;
    let last = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let twice = received(address, &(REQUEST.to_owned() + &last)).await;
    assert_eq!(twice.matches("HTTP/1.1 200 OK").count(), 2, "{twice}");
    let address = client.listen_with(SHORT_IDLE).await;
    // The request may be late itself, if the machine is slow.
    while !received(address, REQUEST).await.contains("HTTP/1.1 200 OK") {}
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_disconnected() {
    let (router, mut ended) = large_answer();
    let address = serve(router, IMPATIENT).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket
        .write_all(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\n")
        .await
        .unwrap();
    let ended = timeout(NEVER, ended.recv()).await;
    assert!(ended.is_ok(), "the service should drop the response");
    assert!(rest(&mut socket).await.len() < 64 << 20);
}

#[tokio::test]
async fn an_answer_that_the_client_takes_arrives_complete() {
    let (router, _ended) = large_answer();
    let transfer = TransferLimits {
        patience: NEVER,
        ..LONG.transfer
    };
    let address = serve(router, ConnectionLimits { transfer, ..LONG }).await;
    let response = received(
        address,
        "GET /large HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
    )
    .await;
    let (head, body) = response.split_once("\r\n\r\n").expect("a response has a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body.matches('x').count(), 64 << 20);
}

#[tokio::test]
async fn over_http2_an_answer_that_is_not_taken_is_reset_and_the_connection_goes_on() {
    let (router, mut ended) = large_answer();
    let address = serve(router, IMPATIENT).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let mut http = h2::client::Builder::new();
    let handshake = http.initial_window_size(0).handshake::<_, Bytes>(socket);
    let (mut client, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = |path: &str| {
        let request = axum::http::Request::get(format!("http://test{path}"));
        request.body(()).unwrap()
    };
    let (response, _) = client.send_request(request("/large"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let reset = timeout(NEVER, body.data()).await.expect("the service should act");
    let reset = reset.expect("the body has no end").unwrap_err();
    assert_eq!(reset.reason(), Some(h2::Reason::CANCEL), "{reset}");
    let ended = timeout(NEVER, ended.recv()).await;
    assert!(ended.is_ok(), "the service should drop the response");
    let (response, _) = client.send_request(request("/"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    assert!(!connection.is_finished());
}

#[tokio::test]
async fn over_http2_a_connection_without_a_request_is_told_to_end() {
    let address = serve(Router::new(), SHORT_IDLE).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let (_client, connection) = h2::client::handshake(socket).await.unwrap();
    let ended = timeout(NEVER, connection)
        .await
        .expect("the service should close it");
    ended.expect("the connection ends in order");
}

#[tokio::test]
async fn a_client_that_waits_for_the_service_is_not_disconnected() {
    let slow = get(async || {
        sleep(4 * IMPATIENT.transfer.patience).await;
        "at last"
    });
    let router = Router::new().route("/", slow);
    let address = serve(router, IMPATIENT).await;
    let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let response = received(address, request).await;
    assert!(response.ends_with("at last"), "{response}");
}

#[tokio::test]
async fn a_stream_with_long_pauses_is_not_cut() {
    let events = futures_util::stream::unfold(0, async |event| {
        sleep(2 * IMPATIENT.transfer.patience).await;
        (event < 3).then(|| (Ok::<_, Infallible>(format!("event {event};")), event + 1))
    });
    let router = Router::new().route("/", once(Body::from_stream(Box::pin(events))));
    let address = serve(router, IMPATIENT).await;
    let request = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let response = received(address, request).await;
    for event in ["event 0;", "event 1;", "event 2;"] {
        assert!(response.contains(event), "{response}");
    }
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_is_a_408() {
    let address = Client::sketch().listen_with(IMPATIENT).await;
    let form = "multipart/form-data; boundary=b";
    for (path, kind) in [
        ("/v1/sample", "application/json"),
        ("/v1/invert", "image/png"),
        ("/v1/invert", form),
    ] {
        let response = received(
            address,
            &format!(
                "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\nContent-Length: 90\r\n\r\n{{"
            ),
        )
        .await;
        assert!(
            response.starts_with("HTTP/1.1 408 ") && response.contains("urn:faceplane:problem:slow-request"),
            "{path} {kind}: {response}"
        );
    }
}

#[tokio::test]
async fn headers_larger_than_the_limit_are_refused() {
    let address = Client::sketch().listen().await;
    for sent in [
        format!("GET /?{} HTTP/1.1\r\nHost: test\r\n\r\n", "x".repeat(100_000)),
        REQUEST.replace("\r\n\r\n", &format!("\r\nX: {}\r\n\r\n", "x".repeat(100_000))),
    ] {
        let response = received(address, &sent).await;
        let refused = response.starts_with("HTTP/1.1 431 ") || response.starts_with("HTTP/1.1 414 ");
        assert!(refused || response.is_empty(), "{response}");
    }
}
