//! The lines of the log that requests get.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::model_folders::copied_model;
#[cfg(not(all(feature = "c2pa", feature = "otlp")))]
use crate::process::refusal;
use crate::process::{Service, program};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Ends the service, and returns the lines of its requests.
pub(crate) fn requests(service: Service) -> Vec<Value> {
    let lines = service.end();
    let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line["message"] == "request")
        .collect()
}

/// Sends a request with `headers`, and returns the response.
pub(crate) fn send(service: &Service, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn each_request_gets_one_line_of_json_that_says_what_was_asked_and_how_it_ended() {
    let service = Service::start(program().args(["--log-format", "json"]));
    let traced = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\nX-Request-Id: mine\r\n");
    let sample = send(&service, "GET", "/v1/sample?seed=7", &traced);
    assert!(sample.starts_with("HTTP/1.1 200"), "{sample}");
    let wrong = "traceparent: 00-0-b7ad6b7169203331-01\r\n";
    send(&service, "HEAD", "/v1/models/phantom", wrong);
    send(&service, "GET", "/v1/sample?seed=seven", "");
    send(&service, "GET", "/nowhere?key=secret", "");
    send(&service, "GET", "/health/ready", "");
    send(&service, "GET", "/metrics", "");
    let lines = requests(service);
    let heads: Vec<Value> = lines
        .iter()
        .map(|line| {
            let fields = ["method", "path", "status", "outcome", "model", "problem"];
            fields.map(|field| line[field].clone()).to_vec().into()
        })
        .collect();
    let expected = [
        json!(["GET", "/v1/sample", 200, "answered", "phantom", null]),
        json!(["HEAD", "/v1/models/phantom", 200, "answered", "phantom", null]),
        json!(["GET", "/v1/sample", 422, "refused", null, "field"]),
        json!(["GET", "/nowhere", 404, "refused", null, "no-route"]),
    ];
    assert_eq!(heads, expected, "{lines:?}");
    assert_eq!(
        (&lines[0]["trace_id"], &lines[0]["request_id"]),
        (&json!(TRACE), &json!("mine"))
    );
    let length = sample.split("content-length: ").nth(1).unwrap();
    let length: u64 = length.lines().next().unwrap().parse().unwrap();
    assert_eq!(lines[0]["bytes"], length);
    for line in &lines {
        assert!(line["milliseconds"].is_number(), "{line}");
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{line}");
    }
    assert_ne!(lines[1]["trace_id"], TRACE);
    assert!(!format!("{lines:?}").contains("secret"), "{lines:?}");
}

#[test]
fn the_text_of_the_log_has_the_same_line() {
    let service = Service::start(&mut program());
    send(&service, "GET", "/v1/models/phantom", "X-Request-Id: mine\r\n");
    let lines = service.end();
    let lines: Vec<&String> = lines.iter().filter(|line| line.contains(" request ")).collect();
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    for field in [
        "method=\"GET\"",
        "path=\"/v1/models/phantom\"",
        "status=200",
        "outcome=\"answered\"",
        "milliseconds=",
        "request_id=\"mine\"",
        "model=\"phantom\"",
    ] {
        assert!(line.contains(field), "{line}");
    }
}

#[test]
fn a_client_that_goes_away_leaves_a_line_that_says_so() {
    let (_place, model) = copied_model();
    // A run of this classifier ends only when it is terminated.
    let graph = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hanging.onnx");
    std::fs::copy(graph, model.join("quality.onnx")).unwrap();
    let service = Service::start(
        program()
            .args(["--log-format", "json", "--drain", "8", "--model"])
            .arg(&model),
    );
    let mut before = TcpStream::connect(&service.address).unwrap();
    write!(
        before,
        "GET /v1/score?seed=7&model=other HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    // A series of many faces without pictures is sent while it is made.
    let mut between = TcpStream::connect(&service.address).unwrap();
    write!(
        between,
        "GET /v1/sample?seeds=0-9999&pictures=none HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    assert!(between.read(&mut [0; 16]).unwrap() > 0);
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    drop((before, between));
    let mut lines = requests(service);
    lines.sort_by_key(|line| line["path"].to_string());
    let found: Vec<_> = lines
        .iter()
        .map(|line| (&line["path"], &line["outcome"], &line["status"], &line["model"]))
        .collect();
    let aborted = json!("aborted");
    let (sample, score) = (json!("/v1/sample"), json!("/v1/score"));
    let (phantom, other) = (json!("phantom"), json!("other"));
    assert_eq!(
        found,
        [
            (&sample, &aborted, &json!(200), &phantom),
            (&score, &aborted, &Value::Null, &other)
        ],
        "{lines:?}"
    );
    assert!(lines[0]["bytes"].as_u64().unwrap() > 0, "{lines:?}");
}

#[cfg(not(feature = "c2pa"))]
#[test]
fn a_program_without_content_credentials_refuses_a_certificate_and_names_the_feature() {
    let [certificate, key] =
        ["signer.pem", "signer.key"].map(|name| format!("tests/content_credentials/{name}"));
    let refused = refusal(program().args(["--c2pa-certificate", &certificate, "--c2pa-key", &key]));
    assert!(
        refused.contains("--c2pa-certificate") && refused.contains("--features c2pa"),
        "{refused}"
    );
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_program_without_traces_refuses_a_collector_and_names_the_feature() {
    let refused = refusal(program().args(["--otlp-endpoint", "http://localhost:4318"]));
    assert!(
        refused.contains("--otlp-endpoint") && refused.contains("--features otlp"),
        "{refused}"
    );
    // The variable of OpenTelemetry is for all programs of a machine.
    let service = Service::start(program().env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"));
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
}
