//! Signals, and the end of the program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::model_folders::copied_model;
use crate::process::{Service, program, signal};

/// A request to the service of which the last bytes are missing.
fn half_sent(service: &Service) -> TcpStream {
    let mut open = TcpStream::connect(&service.address).unwrap();
    write!(
        open,
        "POST /v1/sample HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{{\"seed\""
    )
    .unwrap();
    // A second response shows that the service has accepted the first connection.
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    open
}

/// Sends the rest of a request of [`half_sent`], and expects its image.
fn finish(mut open: TcpStream) {
    write!(open, ": 7}}").unwrap();
    let mut response = Vec::new();
    open.read_to_end(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response);
    assert!(response.starts_with("HTTP/1.1 200 OK"), "{response}");
}

/// Ends, by SIGTERM, a service in which a run of this classifier is under way, and returns its exit code and its log.
fn end_during_a_run_of(classifier: &str) -> (Option<i32>, String) {
    let (_place, model) = copied_model();
    let graph = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(classifier);
    std::fs::copy(graph, model.join("quality.onnx")).unwrap();
    let mut service = Service::start(program().arg("--model").arg(&model).args(["--drain", "8"]));
    let mut open = TcpStream::connect(&service.address).unwrap();
    write!(
        open,
        "GET /v1/score?seed=7&model=other HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    .unwrap();
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    service.signal("TERM");
    let status = service.child.wait().unwrap();
    (status.code(), service.end().join("\n"))
}

#[test]
fn sigterm_finishes_open_requests_and_ends_with_success() {
    let mut service = Service::start(&mut program());
    let open = half_sent(&service);
    service.signal("TERM");
    // The service has handled the signal when it refuses connections.
    while TcpStream::connect(&service.address).is_ok() {
        std::thread::yield_now();
    }
    finish(open);
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn sighup_ends_nothing() {
    let service = Service::start(&mut program());
    let open = half_sent(&service);
    service.signal("HUP");
    finish(open);
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    let log = service.end().join("\n");
    assert!(log.contains("SIGHUP: models that have changed"), "{log}");
}

#[test]
fn sigterm_ends_a_service_that_still_loads_its_models() {
    let (_place, model) = copied_model();
    let manifest = model.join("manifest.toml");
    std::fs::remove_file(&manifest).unwrap();
    // Nobody writes into the pipe, so that the model never loads.
    assert!(Command::new("mkfifo").arg(&manifest).status().unwrap().success());
    let mut program = program();
    let mut child = program
        .arg("--model")
        .arg(&model)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap);
    assert!(
        lines.any(|line| line.contains("model loaded")),
        "the bundled model loads"
    );
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert!(
        rest.concat().contains("shutting down while models load"),
        "{rest:?}"
    );
}

#[test]
fn sigterm_terminates_a_run_that_never_ends() {
    let (code, log) = end_during_a_run_of("hanging.onnx");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("open requests aborted"), "{log}");
    assert!(log.contains("outcome=\"aborted\""), "{log}");
}

#[test]
fn a_run_that_cannot_be_terminated_does_not_keep_the_process() {
    let (code, log) = end_during_a_run_of("stubborn.onnx");
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("did not end within --drain (8s)"), "{log}");
}

#[test]
fn the_grace_periods_of_containers_are_longer_than_the_drain() {
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker");
    let number_after = |file: &str, key: &str| -> u64 {
        let text = std::fs::read_to_string(docker.join(file)).unwrap();
        let (_, rest) = text.split_once(key).unwrap();
        let digits = rest.trim_start().chars().take_while(char::is_ascii_digit);
        digits.collect::<String>().parse().unwrap()
    };
    let help = Command::new(env!("CARGO_BIN_EXE_faceplane"))
        .args(["serve", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, rest) = help.split_once("[env: FACEPLANE_DRAIN=]").unwrap();
    let (_, rest) = rest.split_once("[default: ").unwrap();
    let (drain, _) = rest.split_once(']').unwrap();
    let drain: u64 = drain.parse().unwrap();
    let pre_stop = number_after(
        "kubernetes/base/deployment.yaml",
        "sleep:\n                seconds:",
    );
    let reserve = 5;
    assert!(number_after("compose.yaml", "stop_grace_period:") >= drain + reserve);
    assert!(
        number_after(
            "kubernetes/base/deployment.yaml",
            "terminationGracePeriodSeconds:"
        ) >= pre_stop + drain + reserve
    );
    assert!(number_after("README.md", "--stop-timeout") >= drain + reserve);
}
