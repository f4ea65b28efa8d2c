//! Traces, as a collector gets them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use prost::Message as _;
use serde_json::json;

use crate::observation::{requests, send};
use crate::process::{Service, program, refusal};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT_SPAN: &str = "b7ad6b7169203331";

/// The messages of OTLP, with the fields that these tests read.
mod otlp {
    use prost::{Message, Oneof};

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ExportTraceServiceRequest {
        #[prost(message, repeated, tag = "1")]
        pub(super) resource_spans: Vec<ResourceSpans>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ResourceSpans {
        #[prost(message, optional, tag = "1")]
        pub(super) resource: Option<Resource>,
        #[prost(message, repeated, tag = "2")]
        pub(super) scope_spans: Vec<ScopeSpans>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Resource {
        #[prost(message, repeated, tag = "1")]
        pub(super) attributes: Vec<KeyValue>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct ScopeSpans {
        #[prost(message, repeated, tag = "2")]
        pub(super) spans: Vec<Span>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Span {
        #[prost(bytes, tag = "1")]
        pub(super) trace_id: Vec<u8>,
        #[prost(bytes, tag = "2")]
        pub(super) id: Vec<u8>,
        #[prost(string, tag = "3")]
        pub(super) trace_state: String,
        #[prost(bytes, tag = "4")]
        pub(super) parent_span_id: Vec<u8>,
        #[prost(string, tag = "5")]
        pub(super) name: String,
        #[prost(int32, tag = "6")]
        pub(super) kind: i32,
        #[prost(fixed64, tag = "7")]
        pub(super) start: u64,
        #[prost(fixed64, tag = "8")]
        pub(super) end: u64,
        #[prost(message, repeated, tag = "9")]
        pub(super) attributes: Vec<KeyValue>,
        #[prost(message, optional, tag = "15")]
        pub(super) status: Option<Status>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "3")]
        pub(super) code: i32,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct KeyValue {
        #[prost(string, tag = "1")]
        pub(super) key: String,
        #[prost(message, optional, tag = "2")]
        pub(super) value: Option<AnyValue>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub(super) struct AnyValue {
        #[prost(oneof = "Value", tags = "1, 3")]
        pub(super) value: Option<Value>,
    }

    #[derive(Clone, PartialEq, Oneof)]
    pub(super) enum Value {
        #[prost(string, tag = "1")]
        Text(String),
        #[prost(int64, tag = "3")]
        Integer(i64),
    }
}

/// The kinds and the status of spans that these tests name.
const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const ERROR: i32 = 2;

/// The value of an attribute, as JSON.
fn attribute(attributes: &[otlp::KeyValue], key: &str) -> serde_json::Value {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    let value = found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref());
    match value {
        Some(otlp::Value::Text(text)) => json!(text),
        Some(otlp::Value::Integer(number)) => json!(number),
        None => serde_json::Value::Null,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A collector, which keeps what it gets.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<otlp::ResourceSpans>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                receive(&socket.unwrap(), &kept);
            }
        });
        Self { address, received }
    }

    /// The spans that it got, and what they are of.
    fn spans(&self) -> (Vec<otlp::KeyValue>, Vec<otlp::Span>) {
        let received = self.received.lock().unwrap();
        let resource = received[0].resource.clone().unwrap().attributes;
        let scopes = received.iter().flat_map(|spans| &spans.scope_spans);
        (resource, scopes.flat_map(|scope| scope.spans.clone()).collect())
    }
}

/// Receives the requests of a connection.
fn receive(socket: &TcpStream, received: &Mutex<Vec<otlp::ResourceSpans>>) {
    let mut reader = BufReader::new(socket);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("post /v1/traces "), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        let length = head.split("content-length: ").nth(1).unwrap();
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let request = otlp::ExportTraceServiceRequest::decode(&body[..]).unwrap();
        received.lock().unwrap().extend(request.resource_spans);
        let mut socket = socket;
        write!(socket, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

#[test]
fn a_collector_gets_the_span_of_a_request_with_its_queue_its_batch_and_its_encoding() {
    let collector = Collector::start();
    let service = Service::start(program().args(["--otlp-endpoint", &collector.address]));
    let traced =
        format!("traceparent: 00-{TRACE}-{CLIENT_SPAN}-01\r\ntracestate: shop=7\r\nX-Request-Id: mine\r\n");
    assert!(send(&service, "GET", "/v1/sample?seed=7", &traced).starts_with("HTTP/1.1 200"));
    // Less than the pause between two exports lies before the end, so the end sends the spans.
    service.end();
    let (resource, spans) = collector.spans();
    assert_eq!(attribute(&resource, "service.name"), "faceplane");
    let request = spans.iter().find(|span| span.kind == SERVER).unwrap();
    assert_eq!(request.name, "GET /v1/sample");
    assert_eq!(hexadecimal(&request.trace_id), TRACE);
    assert_eq!(hexadecimal(&request.parent_span_id), CLIENT_SPAN);
    assert_eq!(request.trace_state, "shop=7");
    assert_eq!(request.status.as_ref().map_or(0, |status| status.code), 0);
    for (key, expected) in [
        ("http.request.method", json!("GET")),
        ("http.route", json!("/v1/sample")),
        ("url.path", json!("/v1/sample")),
        ("url.scheme", json!("http")),
        ("http.response.status_code", json!(200)),
        ("faceplane.model", json!("phantom")),
        ("faceplane.request.id", json!("mine")),
    ] {
        assert_eq!(attribute(&request.attributes, key), expected, "{key}");
    }
    for name in ["queue", "batch", "encode"] {
        let step = spans.iter().find(|span| span.name == name);
        let step = step.unwrap_or_else(|| panic!("no span {name} in {spans:?}"));
        assert_eq!(
            (step.kind, &step.parent_span_id),
            (INTERNAL, &request.id),
            "{name}"
        );
        assert_eq!(step.trace_id, request.trace_id, "{name}");
        assert!(step.start <= step.end, "{name}");
        assert_eq!(attribute(&step.attributes, "faceplane.units"), 1, "{name}");
    }
}

#[test]
fn a_refused_request_is_no_error_and_an_aborted_one_is() {
    let collector = Collector::start();
    let service = Service::start(program().args(["--otlp-endpoint", &collector.address]));
    send(&service, "GET", "/v1/sample?seed=seven", "");
    send(&service, "BREW", "/coffee", "");
    send(&service, "GET", "/health/ready", "");
    let mut aborted = TcpStream::connect(&service.address).unwrap();
    write!(
        aborted,
        "GET /v1/sample?seeds=0-9999&pictures=none HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    assert!(aborted.read(&mut [0; 16]).unwrap() > 0);
    drop(aborted);
    service.end();
    let (_, spans) = collector.spans();
    let mut found: Vec<_> = spans
        .iter()
        .filter(|span| span.kind == SERVER)
        .map(|span| {
            let of = |key| attribute(&span.attributes, key);
            let is_error = span.status.as_ref().is_some_and(|status| status.code == ERROR);
            json!([
                span.name,
                of("http.response.status_code"),
                is_error,
                of("error.type")
            ])
        })
        .collect();
    found.sort_by_key(ToString::to_string);
    let expected = [
        json!(["GET /v1/sample", 200, true, "aborted"]),
        json!(["GET /v1/sample", 422, false, null]),
        json!(["HTTP", 404, false, null]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_trace_that_its_client_does_not_record_is_only_in_the_log() {
    let collector = Collector::start();
    let service =
        Service::start(program().args(["--log-format", "json", "--otlp-endpoint", &collector.address]));
    let unrecorded = format!("traceparent: 00-{TRACE}-{CLIENT_SPAN}-00\r\n");
    send(&service, "GET", "/v1/sample?seed=7", &unrecorded);
    send(&service, "GET", "/v1/models", "");
    let lines = requests(service);
    assert_eq!(lines[0]["trace_id"], TRACE);
    let (_, spans) = collector.spans();
    let names: Vec<&str> = spans.iter().map(|span| &span.name[..]).collect();
    assert_eq!(names, ["GET /v1/models"]);
    assert_eq!(
        hexadecimal(&spans[0].trace_id),
        lines[1]["trace_id"].as_str().unwrap()
    );
}

#[test]
fn a_collector_that_never_answers_or_is_not_there_holds_up_neither_requests_nor_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [silent.local_addr().unwrap(), gone] {
        let endpoint = format!("http://{address}");
        let mut service = Service::start(program().args(["--drain", "8", "--otlp-endpoint", &endpoint]));
        for seed in 0..3 {
            let path = format!("/v1/sample?seed={seed}");
            assert!(send(&service, "GET", &path, "").starts_with("HTTP/1.1 200"));
        }
        service.signal("TERM");
        // The exit code is 1 if the process is still there when --drain has passed.
        assert!(service.child.wait().unwrap().success());
        let log = service.end().join("\n");
        assert!(
            log.contains("the last traces were not sent") || log.contains("Export"),
            "{log}"
        );
    }
}

#[test]
fn the_address_of_a_collector_must_be_one_without_tls() {
    for wrong in ["collector:4318", "https://collector", "/v1/traces", ""] {
        let refused = refusal(program().args(["--otlp-endpoint", wrong]));
        assert!(
            refused.contains("--otlp-endpoint") && refused.contains("such as http://"),
            "{refused}"
        );
    }
}

#[test]
fn the_variable_of_opentelemetry_names_the_collector_too() {
    let collector = Collector::start();
    let service = Service::start(
        program()
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{}/", collector.address))
            .env("OTEL_SERVICE_NAME", "faces"),
    );
    send(&service, "GET", "/v1/models", "");
    service.end();
    let (resource, spans) = collector.spans();
    assert_eq!(attribute(&resource, "service.name"), "faces");
    assert_eq!(spans.len(), 1);
}
