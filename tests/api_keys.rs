//! Keys of the program: their file, the commands that make them, and where the service may listen without any.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::http::Request;

use crate::process::{Service, program, refusal};

/// A new key: its line for the file, and the key.
fn new_key(name: &str, scope: &str) -> (String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    let made = program
        .args(["key", "new", "--name", name, "--scope", scope])
        .output()
        .unwrap();
    assert!(made.status.success());
    let [line, key] = [made.stdout, made.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(
        key.starts_with("faceplane_") && line.starts_with(&format!("{name} {scope} ")),
        "{line}"
    );
    (line, key.trim_end().to_owned())
}

fn program_with_keys(file: &Path) -> Command {
    let mut program = program();
    program.arg("--api-keys").arg(file);
    program
}

/// The status of a request with a key.
fn status(service: &Service, key: &str) -> u16 {
    let mut stream = TcpStream::connect(&service.address).unwrap();
    write!(
        stream,
        "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Waits until a request with this key gets this status.
fn wait_for(service: &Service, key: &str, expected: u16) {
    let started = Instant::now();
    while status(service, key) != expected {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "the keys did not change"
        );
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_service_without_keys_that_others_reach_is_refused_unless_it_is_open() {
    let serve = |address: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
        program.current_dir(env!("CARGO_MANIFEST_DIR"));
        program.args(["serve", "--listen", address]);
        program
    };
    for address in ["0.0.0.0:0", ":0", "[::]:0"] {
        let line = refusal(&mut serve(address));
        assert!(
            line.contains(&format!("other machines reach {address}"))
                && line.contains("--api-keys")
                && line.contains("--open"),
            "{line}"
        );
    }
    let service = Service::start(&mut serve("localhost:0"));
    assert!(service.get("/v1/models").starts_with("HTTP/1.1 200"));
    drop(service);
    for mut open in [serve("0.0.0.0:0"), serve(":0")] {
        open.env("FACEPLANE_OPEN", "true")
            .stderr(std::process::Stdio::piped());
        let mut service = open.spawn().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(service.stderr.take().unwrap()));
        let warns = lines.any(|line| line.unwrap().contains("the service has no keys: everybody"));
        service.kill().unwrap();
        service.wait().unwrap();
        assert!(warns);
    }
}

#[test]
fn a_service_with_keys_may_listen_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (line, key) = new_key("web", "use");
    std::fs::write(&file, line).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    program.current_dir(env!("CARGO_MANIFEST_DIR"));
    program
        .args(["serve", "--listen", "0.0.0.0:0", "--api-keys"])
        .arg(&file);
    let service = Service::start(&mut program);
    assert_eq!(status(&service, &key), 200);
    assert!(service.get("/v1/models").starts_with("HTTP/1.1 401"));
    assert!(service.get("/health/ready").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_wrong_file_of_keys_is_an_error_that_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    for (text, says) in [
        ("# nobody\n", "found no key"),
        ("# keys\nweb use 12\n", "keys: line 2: found 2 characters"),
    ] {
        std::fs::write(&file, text).unwrap();
        let line = refusal(&mut program_with_keys(&file));
        assert!(line.contains("--api-keys") && line.contains(says), "{line}");
    }
    let missing = refusal(&mut program_with_keys(Path::new("/nowhere/keys")));
    assert!(
        missing.contains("/nowhere/keys: the keys cannot be read"),
        "{missing}"
    );
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    let scope = program
        .args(["key", "new", "--name", "web", "--scope", "read"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&scope.stderr).contains("expected the scope use, train or admin"));
}

#[test]
fn a_changed_file_of_keys_is_read_again_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let ((line, key), (other_line, other)) = (new_key("web", "use"), new_key("lab", "train"));
    std::fs::write(&file, &line).unwrap();
    let service = Service::start(&mut program_with_keys(&file));
    assert_eq!((status(&service, &key), status(&service, &other)), (200, 401));
    std::fs::write(&file, format!("{line}{other_line}")).unwrap();
    wait_for(&service, &other, 200);
    assert_eq!(status(&service, &key), 200);
    std::fs::write(&file, format!("{line}{other}\n")).unwrap();
    // The wrong file is seen after the keys that follow it could be.
    sleep(Duration::from_secs(2));
    assert_eq!((status(&service, &key), status(&service, &other)), (200, 200));
    std::fs::remove_file(&file).unwrap();
    sleep(Duration::from_secs(2));
    assert_eq!(status(&service, &key), 200);
    std::fs::write(&file, &other_line).unwrap();
    wait_for(&service, &key, 401);
    assert_eq!(status(&service, &other), 200);
    let log = service.end().join("\n");
    assert!(
        log.contains("the keys from before stay") && log.contains("line 2: found 1 words"),
        "{log}"
    );
    assert!(log.contains("cannot be read"), "{log}");
    assert!(!log.contains(&key) && !log.contains(&other), "{log}");
}

#[test]
fn the_rate_of_requests_of_an_address_is_limited() {
    let service =
        Service::start(program().args(["--rate-limit", "2/h", "--trusted-proxy", "10.0.0.0/8,::1"]));
    let statuses: Vec<u16> = (0..3).map(|_| status(&service, "none")).collect();
    assert_eq!(statuses, [200, 200, 429]);
    for (flag, value, says) in [
        ("--rate-limit", "10", "expected requests in a second"),
        ("--trusted-proxy", "proxy", "expected an address"),
    ] {
        let wrong = program().args([flag, value]).output().unwrap();
        let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert!(text.contains(says), "{text}");
    }
}

/// Over HTTP/1 and HTTP/2, since both have code of their own for headers.
#[test]
fn no_key_and_no_session_appears_in_the_log_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (line, key) = new_key("web", "use");
    let (_, stranger) = new_key("stranger", "use");
    std::fs::write(&file, line).unwrap();
    let service = Service::start(program_with_keys(&file).args(["--log", "trace"]));
    assert_eq!((status(&service, &key), status(&service, &stranger)), (200, 401));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cookie = runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(&service.address).await.unwrap();
        let (mut client, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        let mut send = async |method: &str, path: &str, header: (&str, &str)| {
            let request = Request::builder()
                .method(method)
                .uri(format!("http://localhost{path}"));
            let request = request.header(header.0, header.1).body(()).unwrap();
            client.send_request(request, true).unwrap().0.await.unwrap()
        };
        let refused = send(
            "GET",
            "/v1/models",
            ("authorization", &format!("Bearer {stranger}")),
        )
        .await;
        assert_eq!(refused.status(), 401);
        let begun = send("POST", "/session", ("authorization", &format!("Bearer {key}"))).await;
        let cookie = begun.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split_once(';').unwrap().0.to_owned();
        let used = send("GET", "/v1/models", ("cookie", &cookie)).await;
        assert_eq!(used.status(), 200);
        cookie
    });
    let token = cookie.split_once('=').unwrap().1.to_owned();
    let log = service.end().join("\n");
    assert!(log.contains("TRACE") && log.contains("key=\"web\""), "{log}");
    for secret in [&key, &stranger, &token] {
        // A part of it would be found too.
        for part in [&secret[..], &secret[secret.len() - 20..], &secret[12..32]] {
            assert!(!log.contains(part), "{part} is in the log");
        }
    }
}
