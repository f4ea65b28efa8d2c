//! The built program: SIGHUP, the watch, and keys.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use super::write_model;
use crate::process::{Service, program};

/// Sends a request without a body. Returns the status and the body.
pub(crate) fn send(service: &Service, method: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    let head = "Host: localhost\r\nConnection: close\r\nContent-Length: 0";
    write!(stream, "{method} {path} HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let response = String::from_utf8_lossy(&response);
    let status = response.split(' ').nth(1).unwrap().parse().unwrap();
    let body = response.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

/// Waits until the description of the model holds.
fn wait_for(service: &Service, model: &str, holds: impl Fn(&Value) -> bool) {
    loop {
        let (status, body) = send(service, "GET", &format!("/v1/models/{model}"));
        if status == 200 && holds(&serde_json::from_str(&body).unwrap()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn sighup_and_the_watch_load_what_has_changed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("one");
    write_model(&folder, "phantom", "one", 1.0);
    let service = Service::start(program().arg("--model").arg(place.path()));
    let psi = |expected: f64| move |model: &Value| model["truncation"]["psi"] == expected;
    wait_for(&service, "one", psi(1.0));
    // The watch.
    write_model(&folder, "phantom", "one", 0.5);
    wait_for(&service, "one", psi(0.5));
    write_model(&place.path().join("two"), "phantom", "two", 0.25);
    wait_for(&service, "two", psi(0.25));
    // What was dropped comes back at SIGHUP.
    assert_eq!(send(&service, "DELETE", "/v1/models/one").0, 204);
    assert_eq!(send(&service, "GET", "/v1/models/one").0, 404);
    service.signal("HUP");
    wait_for(&service, "one", psi(0.5));
    std::fs::write(folder.join("manifest.toml"), "name = ").unwrap();
    service.signal("HUP");
    let failed = "faceplane_model_loads_total{outcome=\"failed\"} 1";
    while !service.get("/metrics").contains(failed) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(send(&service, "GET", "/v1/sample?seed=1&model=one").0, 200);
    assert_eq!(send(&service, "PUT", "/v1/models/one").0, 422);
    let log = service.end().join("\n");
    assert!(
        log.contains("a model folder could not be loaded") && log.contains("one/manifest.toml"),
        "{log}"
    );
}

#[test]
fn a_service_that_loads_a_model_ends_in_order() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("one");
    write_model(&folder, "phantom", "one", 1.0);
    let mut service = Service::start(program().arg("--model").arg(&folder));
    for psi in [0.5, 0.25] {
        write_model(&folder, "portraits", "one", psi);
        service.signal("HUP");
    }
    service.signal("TERM");
    assert!(service.child.wait().unwrap().success());
}
