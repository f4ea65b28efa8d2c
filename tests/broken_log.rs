//! The service goes on whatever happens to its log.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::process::{program, ready_address, signal};

/// A service with its log somewhere else than in a file.
struct Logging {
    child: Child,
    address: String,
}

impl Logging {
    /// A service whose log nobody has read beyond its ready line, and the rest of the log.
    fn with_pipe() -> (Self, impl Sized) {
        let mut child = program().stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let address = ready_address(&mut lines);
        (Self { child, address }, lines)
    }

    /// A service with its log on a full disk. It cannot tell its port, so it gets one that was free.
    #[cfg(target_os = "linux")]
    fn on_a_full_disk() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_faceplane"));
        program.current_dir(env!("CARGO_MANIFEST_DIR"));
        program.args(["serve", "--listen", &address]);
        let child = program.stderr(full.unwrap()).spawn().unwrap();
        let mut service = Self { child, address };
        while TcpStream::connect(&service.address).is_err() {
            assert_eq!(service.child.try_wait().unwrap(), None, "the service ended");
            std::thread::yield_now();
        }
        service
    }

    /// Sends requests until the metric counts a lost line.
    fn ask_until_lines_are_lost(&self) {
        for _ in 0..100 {
            // A long path is a long line in the log.
            let path = format!("/{}", "x".repeat(6000));
            let responses = exchange(&self.address, &path, 40);
            assert_eq!(
                responses.matches("HTTP/1.1 ").count(),
                40,
                "each request is answered"
            );
            let metrics = exchange(&self.address, "/metrics", 1);
            let lost = metrics
                .lines()
                .find_map(|line| line.strip_prefix("faceplane_log_lines_lost_total "))
                .unwrap();
            if lost.parse::<u64>().unwrap() > 0 {
                return;
            }
        }
        panic!("no line was lost");
    }

    /// Ends the service by SIGTERM.
    fn end_with_success(mut self) {
        signal(&self.child, "TERM");
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The responses to `count` equal requests on one connection.
fn exchange(address: &str, path: &str, count: usize) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    for request in 1..=count {
        let connection = if request == count { "close" } else { "keep-alive" };
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n"
        )
        .unwrap();
    }
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    responses
}

#[test]
fn a_reader_that_closes_the_log_fails_no_request() {
    let (service, log) = Logging::with_pipe();
    drop(log);
    service.ask_until_lines_are_lost();
    service.end_with_success();
}

#[test]
fn a_reader_that_stalls_fails_no_request() {
    let (service, log) = Logging::with_pipe();
    service.ask_until_lines_are_lost();
    service.end_with_success();
    drop(log);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_fails_no_request() {
    let service = Logging::on_a_full_disk();
    service.ask_until_lines_are_lost();
    service.end_with_success();
}
