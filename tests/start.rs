//! The program as a process: settings, start-up errors, start, shutdown.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

pub(crate) fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    program.arg("serve").args(["--listen", "127.0.0.1:0"]);
    program
}

/// Runs a program that must fail at start, and returns the last line of its standard error.
fn refusal(program: &mut Command) -> String {
    let Output { status, stderr, .. } = program.output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

/// Copies the bundled model under another name, for tests that break it.
fn copy() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let model = place.path().join("other");
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom");
    std::fs::create_dir_all(model.join("boundaries")).unwrap();
    for folder in ["", "boundaries"] {
        for entry in std::fs::read_dir(bundled.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, model.join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    replace(
        &model.join("manifest.toml"),
        "name = \"phantom\"",
        "name = \"other\"",
    );
    (place, model)
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} has no {old}", file.display());
    std::fs::write(file, text.replacen(old, new, 1)).unwrap();
}

#[test]
fn a_wrong_onnxruntime_path_is_one_line_of_error() {
    let nowhere = refusal(program().args(["--onnxruntime", "/nowhere/libonnxruntime.so"]));
    assert!(
        nowhere.contains("/nowhere/libonnxruntime.so") && nowhere.contains("no such file"),
        "{nowhere}"
    );
    let text = refusal(program().args(["--onnxruntime", "Cargo.toml"]));
    assert!(
        text.contains("Cargo.toml") && text.contains("make setup"),
        "{text}"
    );
}

#[test]
fn a_broken_model_folder_is_an_error_that_names_the_file() {
    type Break = fn(&Path);
    let cases: [(&str, Break, &str); 17] = [
        (
            "gradient.onnx",
            |model| std::fs::write(model.join("gradient.onnx"), "not a graph").unwrap(),
            "ONNX Runtime refuses",
        ),
        (
            "manifest.toml",
            |model| std::fs::remove_file(model.join("manifest.toml")).unwrap(),
            "cannot be read",
        ),
        (
            "manifest.toml",
            |model| std::fs::write(model.join("manifest.toml"), "name = ").unwrap(),
            "line 1",
        ),
        (
            "manifest.toml",
            |model| replace(&model.join("manifest.toml"), "[truncation]", "[trunkation]"),
            "trunkation",
        ),
        (
            "nothing.onnx",
            |model| {
                replace(
                    &model.join("manifest.toml"),
                    "\"mapping.onnx\"",
                    "\"nothing.onnx\"",
                );
            },
            "cannot be read",
        ),
        (
            "synthesis.onnx",
            |model| std::fs::write(model.join("synthesis.onnx"), b"not a graph").unwrap(),
            "refuses the graph",
        ),
        (
            "synthesis.onnx",
            |model| {
                let file = model.join("synthesis.onnx");
                let graph = std::fs::read(&file).unwrap();
                std::fs::write(&file, &graph[..graph.len() / 2]).unwrap();
            },
            "refuses the graph",
        ),
        (
            "mapping.onnx",
            |model| {
                std::fs::copy(model.join("classifier.onnx"), model.join("mapping.onnx")).unwrap();
            },
            "expected",
        ),
        (
            "classifier.onnx",
            |model| {
                std::fs::copy(model.join("mapping.onnx"), model.join("classifier.onnx")).unwrap();
            },
            "expected",
        ),
        (
            "classifier.onnx",
            |model| {
                let manifest = model.join("manifest.toml");
                let text = std::fs::read_to_string(&manifest).unwrap();
                let kept: Vec<&str> = text.lines().filter(|line| !line.contains("\"smile\"")).collect();
                std::fs::write(&manifest, kept.join("\n")).unwrap();
            },
            "4",
        ),
        (
            "w_avg.npy",
            |model| std::fs::write(model.join("w_avg.npy"), b"\x80\x04pickle").unwrap(),
            "no .npy file",
        ),
        (
            "w_avg.npy",
            |model| {
                std::fs::copy(model.join("boundaries/smile_w.npy"), model.join("w_avg.npy")).unwrap();
                let file = model.join("w_avg.npy");
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() - 8]).unwrap();
            },
            "takes 512 bytes",
        ),
        (
            "encoder_errors.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![2, 2],
                    values: vec![1.0, 0.5, 0.5, 1.0],
                };
                std::fs::write(model.join("encoder_errors.npy"), array.write_f4()).unwrap();
            },
            "2 values a row",
        ),
        (
            "encoder_errors.npy",
            |model| {
                std::fs::copy(
                    model.join("boundaries/smile_w.npy"),
                    model.join("encoder_errors.npy"),
                )
                .unwrap();
            },
            "it is not square",
        ),
        (
            "smile_w.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![1, 63],
                    values: vec![1.0; 63],
                };
                std::fs::write(model.join("boundaries/smile_w.npy"), array.write_f4()).unwrap();
            },
            "63",
        ),
        (
            "smile_w.npy",
            |model| {
                let array = faceplane::catalog::NpyArray {
                    shape: vec![1, 64],
                    values: vec![0.0; 64],
                };
                std::fs::write(model.join("boundaries/smile_w.npy"), array.write_f4()).unwrap();
            },
            "norm 0",
        ),
        (
            "smile_w.json",
            |model| std::fs::write(model.join("boundaries/smile_w.json"), "{}").unwrap(),
            "missing field",
        ),
    ];
    for (file, break_it, says) in cases {
        let (_place, model) = copy();
        break_it(&model);
        let line = refusal(program().arg("--model").arg(&model));
        assert!(
            line.contains(file) && line.contains(says),
            "{file} should be said to be wrong by {says:?}: {line}"
        );
    }
}

#[test]
fn an_error_states_its_cause_once() {
    let (_folder, model) = copy();
    std::fs::remove_file(model.join("w_avg.npy")).unwrap();
    let line = refusal(program().arg("--model").arg(&model));
    assert_eq!(line.matches("No such file").count(), 1, "{line}");
}

#[test]
fn wrong_names_and_settings_are_refused() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom");
    let twice = refusal(program().arg("--model").arg(&bundled));
    assert!(twice.contains("two models are called \"phantom\""), "{twice}");
    let nobody = refusal(program().args(["--default-model", "nobody"]));
    assert!(
        nobody.contains("\"nobody\" is not loaded; there is phantom"),
        "{nobody}"
    );
    let log = refusal(program().args(["--log", "faceplane=loud"]));
    assert!(log.contains("faceplane=loud"), "{log}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["serve", "--listen", &address]);
    let listen = refusal(&mut program);
    assert!(
        listen.contains(&address) && listen.contains("--listen"),
        "{listen}"
    );
}

#[test]
fn a_mistake_in_the_settings_file_is_an_error_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("faceplane.toml");
    let cases = [
        ("listen = ", "line 1"),
        (
            "port = 80",
            "found the key \"port\", expected one of listen, model",
        ),
        ("queue = { a = 1 }", "queue is"),
    ];
    for (text, says) in cases {
        std::fs::write(&file, text).unwrap();
        let line = refusal(
            Command::new(env!("CARGO_BIN_EXE_faceplane"))
                .arg("serve")
                .arg("--config")
                .arg(&file),
        );
        assert!(
            line.contains("faceplane.toml") && line.contains(says),
            "{says}: {line}"
        );
    }
    let missing = refusal(program().args(["--config", "/nowhere/faceplane.toml"]));
    assert!(
        missing.contains("/nowhere/faceplane.toml: the settings file cannot be read"),
        "{missing}"
    );
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
        let mut seen = Vec::new();
        let address = loop {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("the service ended: {seen:?}"));
            if let Some((_, address)) = line.split_once("ready on http://") {
                break address
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_matches('"')
                    .to_owned();
            }
            seen.push(line);
        };
        // A full pipe would block the service.
        let log = std::thread::spawn(move || lines.collect());
        Self { child, address, log }
    }

    /// Stops the service and returns the lines that it logged after the ready line.
    fn end(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(Vec::new));
        log.join().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_flag_overrides_the_environment_and_the_environment_overrides_the_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("faceplane.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nmax-images = 3\nqueue = 6\n").unwrap();
    let limit = |service: &Service| {
        let answer = service.get("/v1/sample?count=5000");
        answer
            .split("expected 1 to ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("serve")
        .arg("--config")
        .arg(&file);
    assert_eq!(limit(&Service::start(&mut program)), "3");
    program.env("FACEPLANE_MAX_IMAGES", "4");
    assert_eq!(limit(&Service::start(&mut program)), "4");
    program.args(["--max-images", "5"]);
    assert_eq!(limit(&Service::start(&mut program)), "5");
}

#[test]
fn the_health_command_reports_whether_a_service_is_ready() {
    let service = Service::start(&mut program());
    let ask = |address: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
        program.args(["health", "--listen", address]).output().unwrap()
    };
    let everywhere = service.address.replace("127.0.0.1", "0.0.0.0");
    assert!(ask(&service.address).status.success() && ask(&everywhere).status.success());
    let address = service.address.clone();
    drop(service);
    let Output { status, stderr, .. } = ask(&address);
    assert_eq!(status.code(), Some(1));
    assert!(String::from_utf8_lossy(&stderr).contains("no response from"));
}

#[test]
fn the_log_contains_requests_but_not_health_checks() {
    let service = Service::start(&mut program());
    for path in ["/health/live", "/health/ready", "/metrics", "/v1/models/phantom"] {
        assert!(service.get(path).starts_with("HTTP/1.1 200"), "{path}");
    }
    let log = service.end().join("\n");
    assert!(
        log.contains("/v1/models/phantom") && log.contains("status=200"),
        "{log}"
    );
    assert!(!log.contains("/health/") && !log.contains("/metrics"), "{log}");
}

#[test]
fn a_second_model_folder_is_served_beside_the_bundled_one() {
    let (_place, model) = copy();
    let service = Service::start(
        program()
            .arg("--model")
            .arg(&model)
            .args(["--default-model", "other"]),
    );
    let list = service.get("/v1/models");
    assert!(
        list.contains("\"default\":\"other\"") && list.contains("\"name\":\"phantom\""),
        "{list}"
    );
    assert!(
        service
            .get("/v1/sample?seed=1&model=phantom")
            .contains("faceplane-model: phantom")
    );
}

#[test]
fn sigterm_finishes_open_requests_and_ends_with_success() {
    let mut service = Service::start(&mut program());
    let mut open = TcpStream::connect(&service.address).unwrap();
    write!(
        open,
        "POST /v1/sample HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    )
    .unwrap();
    write!(
        open,
        "Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{{\"seed\""
    )
    .unwrap();
    // A second response shows that the service has accepted the first connection.
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
    let killed = Command::new("kill")
        .args(["-TERM", &service.child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    // The service has handled the signal when it refuses connections.
    while TcpStream::connect(&service.address).is_ok() {
        std::thread::yield_now();
    }
    write!(open, ": 7}}").unwrap();
    let mut answer = Vec::new();
    open.read_to_end(&mut answer).unwrap();
    assert!(
        String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200 OK"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert!(service.child.wait().unwrap().success());
}
