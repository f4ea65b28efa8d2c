//! Models in a store: published, loaded by services before they are ready, replaced, withdrawn.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use faceplane::catalog::{ModelDownloads, ModelPublisher, ModelStore, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::model_changes::program::send;
use crate::model_changes::write_model;
use crate::process::{Service, refusal};
use crate::shared_store::wait_until;
use crate::store::{body, stored};

/// A store, and a model folder to publish.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.path("tmp")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with the store, and returns whether it succeeded and its last line.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_faceplane"));
        let program = program.args(arguments).arg("--store").arg(self.path("store"));
        let Output {
            status,
            stdout,
            stderr,
        } = program.output().unwrap();
        let text = String::from_utf8([stdout, stderr].concat()).unwrap();
        assert!(!text.contains("panicked"), "{text}");
        (
            status.success(),
            text.lines().last().unwrap_or_default().to_owned(),
        )
    }

    /// Publishes the model `one` with this truncation.
    fn publish(&self, psi: f64) {
        write_model(&self.path("one"), "phantom", "one", psi);
        let (succeeded, text) = self.run(&["publish", self.path("one").to_str().unwrap()]);
        assert!(succeeded && text.starts_with("published one: "), "{text}");
    }

    /// A program that serves the models of the store.
    fn program(&self) -> Command {
        let mut program = stored(&self.path("store"));
        program.env("TMPDIR", self.path("tmp"));
        program
    }

    fn start(&self) -> Service {
        Service::start(&mut self.program())
    }

    fn document(&self) -> Value {
        let text = std::fs::read(self.path("store/_models/one.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    fn write_document(&self, document: &Value) {
        let bytes = serde_json::to_vec(document).unwrap();
        std::fs::write(self.path("store/_models/one.json"), bytes).unwrap();
    }

    /// The names of the parts of all models' content.
    fn parts(&self) -> BTreeSet<String> {
        let files = std::fs::read_dir(self.path("store/_content")).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

/// The truncation of a model, if it is loaded.
fn psi(service: &Service, model: &str) -> Option<f64> {
    let response = service.get(&format!("/v1/models/{model}"));
    let model: Value = serde_json::from_str(body(&response)).unwrap();
    model["truncation"]["psi"].as_f64()
}

fn failures(service: &Service) -> bool {
    service
        .get("/metrics")
        .contains("faceplane_model_loads_total{outcome=\"failed\"} 1")
}

#[test]
fn services_load_replace_and_drop_what_is_published_and_lose_no_request() {
    let place = Place::new();
    place.publish(1.0);
    let services = [place.start(), place.start()];
    for service in &services {
        assert_eq!(
            psi(service, "one"),
            Some(1.0),
            "it is loaded before the service is ready"
        );
    }
    place.publish(0.5);
    for service in &services {
        wait_until("the service has the new version", || {
            let face = service.get("/v1/sample?seed=1&model=one");
            assert!(face.starts_with("HTTP/1.1 200"), "{face}");
            psi(service, "one") == Some(0.5)
        });
    }
    let (succeeded, text) = place.run(&["publish", place.path("one").to_str().unwrap(), "--name", "two"]);
    assert!(succeeded && text.starts_with("published two: "), "{text}");
    for service in &services {
        wait_until("the service has the other model", || {
            psi(service, "two") == Some(0.5)
        });
    }
    assert_eq!(place.run(&["withdraw", "one"]), (true, "withdrew one".to_owned()));
    for service in &services {
        wait_until("the service has dropped the model", || {
            psi(service, "one").is_none()
        });
        assert_eq!(
            psi(service, "two"),
            Some(0.5),
            "the parts that both had are there"
        );
    }
    let late = place.start();
    assert_eq!(psi(&late, "two"), Some(0.5));
    late.end();
    assert!(place.run(&["withdraw", "two"]).0);
    assert_eq!(
        place.parts(),
        BTreeSet::new(),
        "content that no model has is removed"
    );
    let (succeeded, text) = place.run(&["withdraw", "two"]);
    assert!(!succeeded && text.contains("found no model \"two\""), "{text}");
    for service in services {
        service.end();
    }
    let left = std::fs::read_dir(place.path("tmp")).unwrap();
    assert_eq!(left.count(), 0, "downloads end with their service");
}

#[test]
fn a_version_with_other_content_is_refused_and_the_one_before_goes_on() {
    let place = Place::new();
    place.publish(1.0);
    let service = place.start();
    let other = "0".repeat(64);
    std::fs::write(place.path("store/_content").join(&other), b"other content").unwrap();
    let mut document = place.document();
    let file = &mut document["files"][0];
    (file["bytes"], file["parts"]) = (13.into(), serde_json::json!([{"bytes": 13, "sha256": other}]));
    place.write_document(&document);
    wait_until("the failure is counted", || failures(&service));
    let expected = format!("_content/{other}: found content with the SHA-256 ");
    let refused = send(&service, "PUT", "/v1/models/one");
    assert_eq!(refused.0, 422, "{}", refused.1);
    assert!(
        refused.1.contains(&expected) && refused.1.contains(&format!("expected {other}")),
        "{}",
        refused.1
    );
    assert_eq!(psi(&service, "one"), Some(1.0));
    let error = refusal(&mut place.program());
    assert!(error.contains(&expected), "{error}");
    place.publish(0.5);
    wait_until("the service has the next version", || {
        psi(&service, "one") == Some(0.5)
    });
    assert!(!place.parts().contains(&other));
    let log = service.end();
    assert!(
        log.iter()
            .any(|line| line.contains("could not be loaded") && line.contains(&expected)),
        "{log:?}"
    );
}

#[test]
fn no_file_of_a_model_leaves_the_folder_of_downloads() {
    let place = Place::new();
    place.publish(1.0);
    let mut document = place.document();
    document["files"][0]["path"] = "../../../escaped".into();
    place.write_document(&document);
    let downloads = place.path("downloads");
    let error = refusal(place.program().arg("--downloads").arg(&downloads));
    assert!(error.contains("found the path \"../../../escaped\""), "{error}");
    assert!(!downloads.exists() && !place.path("escaped").exists());
}

#[test]
fn downloads_that_stay_are_used_again_if_they_have_their_digests() {
    let place = Place::new();
    place.publish(1.0);
    let downloads = place.path("downloads");
    let start = || Service::start(place.program().arg("--downloads").arg(&downloads));
    start().end();
    let manifest = |folder: &Path| {
        let versions = std::fs::read_dir(folder.join("one")).unwrap();
        let versions: Vec<_> = versions.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(versions.len(), 1, "{versions:?}");
        versions[0].join("manifest.toml")
    };
    let file = manifest(&downloads);
    let text = std::fs::read_to_string(&file).unwrap();
    let number = |path: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
    let before = number(&file);
    start().end();
    assert_eq!(number(&file), before, "it is not downloaded again");
    std::fs::write(&file, text.replace("psi = 1.0", "psi = 0.1")).unwrap();
    let service = start();
    assert_eq!(
        psi(&service, "one"),
        Some(1.0),
        "a changed file is downloaded again"
    );
    assert_eq!(std::fs::read_to_string(manifest(&downloads)).unwrap(), text);
}

#[test]
fn a_model_that_the_disk_cannot_take_is_downloaded_when_it_can() {
    let place = Place::new();
    place.publish(1.0);
    let downloads = place.path("downloads");
    let service = Service::start(place.program().arg("--downloads").arg(&downloads));
    let obstacle = downloads.join("two");
    std::fs::write(&obstacle, "no folder").unwrap();
    let one = place.path("one");
    let (succeeded, text) = place.run(&["publish", one.to_str().unwrap(), "--name", "two"]);
    assert!(succeeded, "{text}");
    wait_until("the failure is counted", || failures(&service));
    let (status, problem) = send(&service, "PUT", "/v1/models/two");
    assert_eq!(status, 507, "{problem}");
    let expected = "make room for the model, or choose another folder (--downloads); the model is not loaded";
    assert!(
        problem.contains("cannot be written") && problem.contains(expected),
        "{problem}"
    );
    std::fs::remove_file(&obstacle).unwrap();
    wait_until("the service has the model", || psi(&service, "two") == Some(1.0));
    service.end();
}

#[test]
fn what_cannot_be_published_is_an_error_and_changes_nothing() {
    let place = Place::new();
    place.publish(1.0);
    let before = place.document();
    let bundled = concat!(env!("CARGO_MANIFEST_DIR"), "/onnx/phantom");
    let one = place.path("one");
    let one = one.to_str().unwrap();
    for (arguments, expected) in [
        (vec!["publish", bundled], "which the bundled model has"),
        (vec!["publish", one, "--name", "../two"], "found \"../two\""),
        (vec!["publish", "/nowhere"], "/nowhere/manifest.toml"),
        (vec!["withdraw", "../one"], "expected one that was published: one"),
    ] {
        let (succeeded, text) = place.run(&arguments);
        assert!(!succeeded && text.contains(expected), "{text}");
    }
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let lock = place.path("store/_publication.json");
    std::fs::write(&lock, format!("{{\"machine\": \"builder\", \"renewed\": {now}}}")).unwrap();
    for arguments in [["publish", one], ["withdraw", "one"]] {
        let (succeeded, text) = place.run(&arguments);
        assert!(
            !succeeded && text.contains("another process, on builder,"),
            "{text}"
        );
    }
    assert_eq!(place.document(), before);
    std::fs::write(&lock, "{\"machine\": \"builder\", \"renewed\": 1}").unwrap();
    place.publish(0.5);
    assert!(
        !lock.exists(),
        "the lock of a killed process is taken over, and removed"
    );
}

#[test]
fn a_store_that_cannot_be_read_is_a_503_for_its_models_and_they_go_on() {
    let place = Place::new();
    place.publish(1.0);
    let service = place.start();
    let models = place.path("store/_models");
    std::fs::rename(&models, place.path("away")).unwrap();
    std::fs::write(&models, b"no folder").unwrap();
    let refused = send(&service, "PUT", "/v1/models/one");
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert!(refused.1.contains("store-unavailable"), "{}", refused.1);
    let other = send(&service, "PUT", "/v1/models/phantom");
    assert_eq!(other.0, 200, "models of folders need no store: {}", other.1);
    assert_eq!(psi(&service, "one"), Some(1.0));
    std::fs::remove_file(&models).unwrap();
    std::fs::rename(place.path("away"), &models).unwrap();
    let loaded = send(&service, "PUT", "/v1/models/one");
    assert_eq!(loaded.0, 200, "{}", loaded.1);
}

#[test]
fn publishing_again_repairs_a_part_and_a_large_file_has_several() {
    let place = Place::new();
    let folder = place.path("one");
    write_model(&folder, "phantom", "one", 1.0);
    // 4 MiB and one byte: two parts.
    std::fs::write(folder.join("notes.bin"), vec![7; (4 << 20) + 1]).unwrap();
    let store = ModelStore::new(Store::open(place.path("store")).unwrap().blobs());
    let publisher = ModelPublisher::new(store.clone(), "here");
    let mut steps = Vec::new();
    let document = publisher
        .publish(&folder, None, |bytes| steps.push(bytes))
        .unwrap();
    assert_eq!(steps.last(), Some(&document.bytes()));
    assert!(steps.is_sorted(), "{steps:?}");
    let large = place.document()["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["path"] == "notes.bin")
        .cloned();
    assert_eq!(large.unwrap()["parts"].as_array().unwrap().len(), 2);
    let fetch = |folder: &str| {
        let downloads = ModelDownloads::new(store.clone(), place.path(folder));
        downloads.fetch("one")
    };
    let fetched = fetch("first").unwrap().unwrap();
    assert_eq!(
        std::fs::read(fetched.folder.join("notes.bin")).unwrap().len(),
        (4 << 20) + 1
    );
    let part = place.path("store/_content").join(place.parts().first().unwrap());
    std::fs::write(&part, b"broken").unwrap();
    assert!(
        fetch("second")
            .unwrap_err()
            .to_string()
            .contains("found content with the SHA-256")
    );
    std::fs::remove_file(&part).unwrap();
    assert!(fetch("second").unwrap_err().to_string().contains("found no file"));
    std::fs::write(&part, b"broken").unwrap();
    assert_eq!(publisher.publish(&folder, None, |_| ()).unwrap(), document);
    fetch("second").unwrap().unwrap();
    assert!(
        fetch("third").unwrap().is_some()
            && ModelDownloads::new(store.clone(), place.path("third"))
                .fetch("two")
                .unwrap()
                .is_none()
    );
}
