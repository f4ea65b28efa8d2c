//! The store: killed services, a full disk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::{Service, program};

pub(crate) const PATH: &str = "/v1/models/phantom/boundaries/smile/w";

/// Puts a boundary with its normal along `axis`. Returns the status line, if there was a response.
pub(crate) fn put(address: &str, axis: usize) -> Option<String> {
    put_at(address, PATH, axis)
}

/// Puts a boundary as [`put`] does, at another path.
pub(crate) fn put_at(address: &str, path: &str, axis: usize) -> Option<String> {
    let normal: Vec<u8> = (0..64).map(|index| u8::from(index == axis)).collect();
    let body = format!("{{\"normal\": {normal:?}, \"intercept\": {axis}}}");
    let mut stream = TcpStream::connect(address).ok()?;
    let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    response.lines().next().map(str::to_owned)
}

/// Deletes the boundary. Returns the status line, if there was a response.
pub(crate) fn delete(address: &str) -> Option<String> {
    delete_at(address, PATH)
}

/// Deletes what is at a path. Returns the status line, if there was a response.
pub(crate) fn delete_at(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let head = "Host: localhost\r\nConnection: close";
    write!(stream, "DELETE {path} HTTP/1.1\r\n{head}\r\n\r\n").ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    response.lines().next().map(str::to_owned)
}

pub(crate) fn body(response: &str) -> &str {
    response.split("\r\n\r\n").nth(1).unwrap()
}

/// The axis of the service's boundary. It must be one of the boundaries that were put, and complete.
pub(crate) fn axis(service: &Service) -> usize {
    let response = service.get(PATH);
    let body: serde_json::Value = serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let normal = body["normal"].as_array().unwrap();
    let axis = normal.iter().position(|value| value == 1.0).unwrap();
    assert_eq!(normal.iter().filter(|value| **value == 0.0).count(), 63, "{body}");
    assert_eq!(
        body["intercept"].as_f64(),
        Some(f64::from(u8::try_from(axis).unwrap())),
        "{body}"
    );
    axis
}

pub(crate) fn stored(folder: &Path) -> Command {
    let mut program = program();
    program.arg("--store").arg(folder);
    program
}

#[test]
fn a_service_killed_during_a_write_keeps_the_old_boundary_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut last = None;
    for round in 0..6 {
        let mut service = Service::start(&mut stored(folder.path()));
        if let Some(known) = last {
            let files = std::fs::read_dir(folder.path().join("phantom")).unwrap();
            let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            assert_eq!(names, ["smile_w.json"], "no temporary file is left");
            let found = axis(&service);
            assert!(
                found == known || found == (known + 1) % 64,
                "found {found} after {known}"
            );
        }
        let address = service.address.clone();
        let (first, came) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            let mut answered = None;
            for axis in (0..64).cycle() {
                match put(&address, axis) {
                    Some(status) if status.contains("200") => {
                        answered = Some(axis);
                        // The test may have ended.
                        let _ = first.send(());
                    }
                    _ => return answered,
                }
            }
            answered
        });
        came.recv().expect("a boundary is brought");
        std::thread::sleep(Duration::from_millis(5 + 37 * round));
        service.child.kill().unwrap();
        service.child.wait().unwrap();
        last = writer.join().unwrap();
    }
}

#[test]
fn a_service_killed_during_a_deletion_has_the_replacement_or_what_came_with_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let original = {
        let service = Service::start(&mut program());
        body(&service.get(PATH)).to_owned()
    };
    for round in 0..2 {
        let mut service = Service::start(&mut stored(folder.path()));
        let address = service.address.clone();
        let (first, came) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            loop {
                for status in [put(&address, 5), delete(&address)] {
                    if !status.is_some_and(|status| status.contains("200")) {
                        return;
                    }
                    // The test may have ended.
                    let _ = first.send(());
                }
            }
        });
        came.recv().expect("a boundary is brought");
        std::thread::sleep(Duration::from_millis(3 + 29 * round));
        service.child.kill().unwrap();
        service.child.wait().unwrap();
        writer.join().unwrap();
        let service = Service::start(&mut stored(folder.path()));
        let found = service.get(PATH);
        assert!(body(&found) == original || axis(&service) == 5, "{found}");
        assert_eq!(body(&service.get(&format!("{PATH}?version=original"))), original);
        if body(&found) == original {
            assert!(put(&service.address, 5).unwrap().contains("200"));
        }
        assert!(delete(&service.address).unwrap().contains("200"));
        assert_eq!(body(&service.get(PATH)), original);
    }
}

#[test]
fn a_full_disk_is_a_507_and_the_service_keeps_its_boundaries() {
    let folder = tempfile::tempdir().unwrap();
    // The limit of a file is 512 bytes. A longer write fails as on a full disk.
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" serve --listen 127.0.0.1:0 --store \"$1\"";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_faceplane")]);
    shell.arg(folder.path()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let service = Service::start(&mut shell);
    let before = service.get(PATH);
    let status = put(&service.address, 3).unwrap();
    assert!(status.contains("507"), "{status}");
    let body = |response: &str| response.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(body(&service.get(PATH)), body(&before));
    let left = std::fs::read_dir(folder.path().join("phantom")).unwrap().count();
    assert_eq!(left, 0, "nothing half-written is left");
}

/// Starts a training of 200,000 samples, which does not end during a test. Returns the path of the job.
pub(crate) fn begin(address: &str) -> String {
    let body = r#"{"attributes": ["smile"], "space": "w", "samples": 200000}"#;
    let mut stream = TcpStream::connect(address).unwrap();
    let head = "Host: localhost\r\nConnection: close\r\nContent-Type: application/json";
    let path = "/v1/models/phantom/boundaries";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 202"), "{response}");
    let location = response.lines().find_map(|line| line.strip_prefix("location: "));
    location.unwrap().to_owned()
}

#[test]
fn a_service_that_stops_during_a_job_changes_no_boundary() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start(&mut stored(folder.path()));
    let before = service.get(PATH);
    let ended = begin(&service.address);
    let term = Command::new("kill")
        .args(["-TERM", &service.child.id().to_string()])
        .status();
    assert!(term.unwrap().success());
    assert!(service.child.wait().unwrap().success(), "SIGTERM cancels the job");
    let mut service = Service::start(&mut stored(folder.path()));
    let killed = begin(&service.address);
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    let service = Service::start(&mut stored(folder.path()));
    let body = |response: &str| response.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(body(&service.get(PATH)), body(&before));
    // The store has the jobs. No service runs them again.
    let jobs = [&ended, &killed].map(|job| {
        serde_json::from_str::<serde_json::Value>(body(&service.get(job)).as_deref().unwrap()).unwrap()
    });
    assert_eq!(jobs[0]["status"], "cancelled");
    assert!(
        ["queued", "sampling"].contains(&jobs[1]["status"].as_str().unwrap()),
        "{jobs:?}"
    );
}
