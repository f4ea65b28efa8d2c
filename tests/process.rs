//! The program as a process, for tests: starts it, talks to it, stops it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    program.arg("serve").args(["--listen", "127.0.0.1:0"]);
    program
}

/// Runs a program that must fail at start, and returns the last line of its standard error.
pub(crate) fn refusal(program: &mut Command) -> String {
    let Output { status, stderr, .. } = program.output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

/// Sends a process a signal, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").arg(format!("-{name}")).arg(id).status();
    assert!(sent.unwrap().success());
}

/// Reads the lines of a service's log up to the ready line, and returns the address in it.
pub(crate) fn ready_address(lines: &mut impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for line in lines {
        if let Some((_, address)) = line.split_once("ready on http://") {
            let address = address.split([' ', '"']).next();
            return address.unwrap().to_owned();
        }
        seen.push(line);
    }
    panic!("the service ended: {seen:?}")
}

/// A running service.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: String,
    log: JoinHandle<Vec<String>>,
}

impl Service {
    pub(crate) fn start(program: &mut Command) -> Self {
        let mut child = program.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut lines = log.lines().map(Result::unwrap);
        let address = ready_address(&mut lines);
        // A full pipe would block the service.
        let log = std::thread::spawn(move || lines.collect());
        Self { child, address, log }
    }

    /// Sends the process a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Stops the service in order, and returns the lines that it logged after the ready line.
    pub(crate) fn end(mut self) -> Vec<String> {
        // The process may have ended already.
        if self.child.try_wait().unwrap().is_none() {
            self.signal("TERM");
        }
        let log = std::mem::replace(&mut self.log, std::thread::spawn(Vec::new));
        log.join().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.get_of_host("localhost", path)
    }

    /// Gets a path under a host name.
    pub(crate) fn get_of_host(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
