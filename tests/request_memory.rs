//! Hostile bodies take no more memory than their bytes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::process::{Service, program};

/// The size of the bodies.
const BODY: usize = 16 * 1024 * 1024;

/// The most memory that a body may take. Its bytes are kept twice while it grows.
const MOST: usize = 4 * BODY;

/// Memory of the service, in bytes: a line of `/proc/PID/status`.
fn memory(service: &Service, line: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.child.id())).unwrap();
    let line = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    let kibibytes: usize = line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap();
    kibibytes * 1024
}

fn post(service: &Service, path: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

#[test]
fn a_body_of_16_mib_that_no_type_allows_is_refused_with_little_memory() {
    let service = Service::start(&mut program());
    let repeated = |start: &str, part: &str| {
        let mut body = start.to_owned();
        body.push_str(&part.repeat((BODY - start.len()) / part.len()));
        body
    };
    for (name, body) in [
        ("nested objects", repeated("", "{\"a\":")),
        ("nested objects in a field", repeated("{\"latent\":", "{\"a\":")),
        ("objects in a list", repeated("{\"edits\":[", "{\"a\":1},")),
        ("edits", repeated("{\"edits\":[", "{\"attribute\":\"smile\"},")),
        (
            "nested lists",
            repeated("{\"latent\":{\"space\":\"w\",\"values\":", "["),
        ),
        (
            "empty rows",
            repeated("{\"latent\":{\"space\":\"w\",\"values\":[", "[],"),
        ),
        (
            "numbers",
            repeated("{\"latent\":{\"space\":\"w\",\"values\":[", "0,"),
        ),
        ("a long text", repeated("{\"model\":\"", "x") + "\"}"),
        ("a long key", repeated("{\"", "x") + "\":1}"),
    ] {
        std::fs::write(format!("/proc/{}/clear_refs", service.child.id()), "5").unwrap();
        let before = memory(&service, "VmRSS");
        let response = post(&service, "/v1/edit", body.as_bytes());
        let taken = memory(&service, "VmHWM").saturating_sub(before);
        assert!(response.starts_with("HTTP/1.1 422"), "{name}: {response}");
        assert!(
            response.len() < 2000,
            "{name}: a response of {} bytes",
            response.len()
        );
        assert!(taken < MOST, "{name}: {taken} bytes of memory");
    }
}

#[test]
fn a_client_that_sends_all_of_a_body_that_is_too_large_still_reads_the_response() {
    let service = Service::start(&mut program());
    let response = post(&service, "/v1/edit", &vec![b' '; 48 << 20]);
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
}
