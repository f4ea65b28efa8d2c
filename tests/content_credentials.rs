//! Content Credentials: image files that are signed.

use std::io::Cursor;
use std::process::Command;

use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use c2pa::{Context, Reader, ValidationState};
use faceplane::imaging::{ContentCredentials, CredentialsError, read_metadata};

use crate::process::{Service, program, refusal};
use crate::support::Client;

const SIGNER: &str = "tests/content_credentials/signer.pem";
const KEY: &str = "tests/content_credentials/signer.key";

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!(
        "{}/tests/content_credentials/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

/// A client of the small generator, whose service signs image files.
fn signing() -> Client {
    let credentials = ContentCredentials::new(&file("signer.pem"), &file("signer.key")).unwrap();
    Client::sketch_of(|api| api.with_credentials(credentials))
}

/// What C2PA's own reader says of a file: whether its signature is valid, and its statement as JSON. `None` without a statement.
fn read(media_type: &str, file: &[u8]) -> Option<(ValidationState, String)> {
    let reader = Reader::from_context(Context::new()).with_stream(media_type, Cursor::new(file));
    let reader = reader.ok()?;
    Some((reader.validation_state(), reader.json()))
}

fn assert_signed(media_type: &str, file: &[u8], source_type: &str, what: &str) {
    let (state, statement) = read(media_type, file).unwrap_or_else(|| panic!("{what}: no statement"));
    assert_eq!(state, ValidationState::Valid, "{what}: {statement}");
    let url = format!("http://cv.iptc.org/newscodes/digitalsourcetype/{source_type}");
    for expected in ["c2pa.created", &format!("\"{url}\""), "faceplane"] {
        assert!(statement.contains(expected), "{what}: {statement}");
    }
    // The mark and the recipe are where they were.
    let metadata = read_metadata(file);
    assert_eq!(
        metadata.digital_source_type.as_deref(),
        Some(source_type),
        "{what}"
    );
}

#[tokio::test]
async fn images_in_every_format_and_layout_are_signed() {
    let client = signing();
    for format in ["png", "jpeg", "webp", "gif"] {
        for layout in ["grid", "strip", "animation"] {
            if (format, layout) == ("jpeg", "animation") {
                continue;
            }
            let query = format!("seed=7&count=2&format={format}&layout={layout}");
            let image = client.get(&format!("/v1/sample?{query}")).await;
            assert_eq!(image.status, StatusCode::OK, "{query}");
            assert_signed(
                &format!("image/{format}"),
                &image.body,
                "trainedAlgorithmicMedia",
                &query,
            );
        }
    }
    let json = client.get("/v1/sample?seed=7&count=2&format=json").await.json();
    for face in json["faces"].as_array().unwrap() {
        let image = STANDARD.decode(face["image"].as_str().unwrap()).unwrap();
        assert_signed("image/png", &image, "trainedAlgorithmicMedia", "in JSON");
    }
    let bare = client.get("/v1/sample?seed=7&metadata=none").await;
    assert_signed(
        "image/png",
        &bare.body,
        "trainedAlgorithmicMedia",
        "metadata=none",
    );
}

#[tokio::test]
async fn a_changed_pixel_breaks_the_signature() {
    let client = signing();
    let mut image = client.get("/v1/sample?seed=7&format=webp").await.body.clone();
    // The first chunk with pixels.
    let pixels = image.windows(4).position(|name| name == b"VP8 ").unwrap();
    image[pixels + 40] ^= 1;
    let (state, statement) = read("image/webp", &image).unwrap();
    assert_eq!(state, ValidationState::Invalid, "{statement}");
    assert!(statement.contains("assertion.dataHash.mismatch"), "{statement}");
}

#[tokio::test]
async fn a_signed_file_still_carries_its_code() {
    let client = signing();
    let face = client.get("/v1/sample?seed=7").await;
    let request = Request::post("/v1/edit?edit=smile:0&format=json").header("content-type", "image/png");
    let edited = client.send(request.body(face.body.into()).unwrap()).await;
    assert_eq!(
        edited.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&edited.body)
    );
    let sampled = client.get("/v1/sample?seed=7&format=json").await.json();
    assert_eq!(edited.json()["faces"][0]["latent"], sampled["faces"][0]["latent"],);
}

#[tokio::test]
async fn the_etag_is_the_same_for_every_signature_and_differs_for_other_content() {
    let path = "/v1/sample?seed=7";
    let (one, other) = (signing(), signing());
    let (first, second) = (one.get(path).await, other.get(path).await);
    assert_ne!(first.body, second.body, "signatures differ");
    let etag = first.headers["etag"].clone();
    assert_eq!(etag, second.headers["etag"]);
    assert!(etag.to_str().unwrap().starts_with("W/"), "{etag:?}");
    assert_ne!(etag, one.get("/v1/sample?seed=8").await.headers["etag"]);
    assert_ne!(
        etag,
        one.get("/v1/sample?seed=7&format=webp").await.headers["etag"]
    );
    // One replica signed what a client has, and another one is asked whether it is still right.
    let again = Request::get(path).header("if-none-match", etag);
    let again = other.send(again.body(String::new().into()).unwrap()).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    // The cache keeps the file that was signed.
    assert_eq!(one.get(path).await.body, first.body);
}

#[test]
fn a_certificate_that_cannot_sign_is_refused() {
    for (certificate, key, says) in [
        ("signer.pem", file("other.key"), "claimSignature.mismatch"),
        ("expired.pem", file("signer.key"), "ES256"),
        ("signer.pem", b"no key".to_vec(), "private key"),
        ("signer.key", file("signer.key"), "certificate"),
    ] {
        let refused = ContentCredentials::new(&file(certificate), &key).unwrap_err();
        assert!(matches!(refused, CredentialsError::Unusable { .. }));
        let reason = refused.to_string();
        assert!(reason.contains(says), "{certificate}: {reason}");
    }
}

#[test]
fn the_settings_name_both_files() {
    let refused = refusal(program().args(["--c2pa-certificate", "/nowhere/signer.pem", "--c2pa-key", KEY]));
    assert!(
        refused.contains("--c2pa-certificate: /nowhere/signer.pem"),
        "{refused}"
    );
    let missing = Command::new(env!("CARGO_BIN_EXE_faceplane"))
        .args(["serve", "--c2pa-certificate", SIGNER])
        .output();
    let missing = missing.unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("--c2pa-key"));
    let service = Service::start(program().args(["--c2pa-certificate", SIGNER, "--c2pa-key", KEY]));
    assert!(service.get("/v1/sample?seed=7").contains("etag: W/"));
}
