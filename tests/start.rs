//! Settings, start-up errors, start and shutdown of the program.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use crate::model_folders::copied_model;
use crate::process::{Service, program, refusal};

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
fn an_error_states_its_cause_once() {
    let (_folder, model) = copied_model();
    std::fs::remove_file(model.join("w_avg.npy")).unwrap();
    let line = refusal(program().arg("--model").arg(&model));
    assert_eq!(line.matches("No such file").count(), 1, "{line}");
}

#[test]
fn wrong_names_and_settings_are_refused() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom");
    let twice = refusal(program().arg("--model").arg(&bundled));
    let expected =
        "two models are called \"phantom\", and the bundled model, which is always loaded, is one of them";
    assert!(twice.contains(expected), "{twice}");
    let nobody = refusal(program().args(["--default-model", "nobody"]));
    assert!(
        nobody.contains("\"nobody\" is not loaded; there is phantom"),
        "{nobody}"
    );
    let origin = refusal(program().args(["--allow-origin", "faces.example"]));
    assert!(
        origin.contains("--allow-origin")
            && origin.contains("\"faces.example\", expected the origin of a web page"),
        "{origin}"
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
fn a_service_on_loopback_has_no_other_host_names_than_those_that_are_listed() {
    let service =
        Service::start(program().args(["--host", "faces.example", "--host", "a.example,b.example"]));
    for host in ["localhost", "127.0.0.1:8080", "faces.example", "b.example:443"] {
        let response = service.get_of_host(host, "/v1/models");
        assert!(response.starts_with("HTTP/1.1 200"), "{host}: {response}");
    }
    let response = service.get_of_host("evil.example", "/v1/models");
    assert!(response.starts_with("HTTP/1.1 421"), "{response}");
    drop(service);
    let service = Service::start(&mut program());
    let response = service.get_of_host("faces.example", "/v1/models");
    assert!(response.starts_with("HTTP/1.1 421"), "{response}");
    let response = service.get("/v1/models");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn a_mistake_in_the_settings_file_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faceplane.toml");
    let cases = [
        ("listen = ", "line 1"),
        (
            "port = 80",
            "found the key \"port\", expected one of listen, api-keys, open, open-metrics, rate-limit, trusted-proxy, c2pa-certificate, c2pa-key, base-path, allow-origin, host",
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

#[test]
fn a_flag_overrides_the_environment_and_the_environment_overrides_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faceplane.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\nmax-images = 3\nqueue = 6\n").unwrap();
    let limit = |service: &Service| {
        let response = service.get("/v1/sample?count=5000");
        response
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
fn the_health_command_says_why_a_service_is_not_ready() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        assert!(socket.read(&mut request).unwrap() > 0);
        write!(
            socket,
            "HTTP/1.1 503 Service Unavailable\r\n\r\nencoder.onnx is stuck\n"
        )
        .unwrap();
    });
    let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
    let Output { status, stderr, .. } = program.args(["health", "--listen", &address]).output().unwrap();
    server.join().unwrap();
    assert_eq!(status.code(), Some(1));
    let text = String::from_utf8(stderr).unwrap();
    assert!(
        text.ends_with("the response says: encoder.onnx is stuck\n"),
        "{text}"
    );
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
    let (_place, model) = copied_model();
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
fn a_variable_that_a_library_reads_has_its_default_unless_the_user_sets_it() {
    let environment = |telemetry: &str| {
        let service = Service::start(program().env("ORT_DISABLE_TELEMETRY", telemetry));
        let text = std::fs::read_to_string(format!("/proc/{}/environ", service.child.id())).unwrap();
        text.split('\0').map(str::to_owned).collect::<Vec<_>>()
    };
    for telemetry in ["0", "1"] {
        let variables = environment(telemetry);
        let set = |variable: String| variables.contains(&variable);
        assert!(set(format!("ORT_DISABLE_TELEMETRY={telemetry}")), "{variables:?}");
        assert!(set("MIMALLOC_PURGE_DELAY=100".to_owned()), "{variables:?}");
    }
}
