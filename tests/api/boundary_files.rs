//! Boundaries in files, as curl, requests and forms send them.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use faceplane::catalog::NpyArray;

use super::boundaries::put_file;
use crate::checkpoint::pickle_writer::{Pickle, torch_file, whole};
use crate::support::{Client, numbers};

const SMILE: &str = "/v1/models/sketch/boundaries/smile/w";

#[tokio::test]
async fn a_numpy_file_needs_no_content_type() {
    let client = Client::sketch();
    let (shape, values) = (vec![1, 4], vec![0.6, 0.0, 0.0, 0.8]);
    let file = NpyArray { shape, values }.write_f8();
    // As `curl -T smile_w.npy`, requests and `curl --data-binary @smile_w.npy` send it.
    for (kind, intercept) in [(None, 2.0), (Some("application/x-www-form-urlencoded"), 3.0)] {
        let mut request = Request::put(format!("{SMILE}?intercept={intercept}"));
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let response = client.send(request.body(file.clone().into()).unwrap()).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.json());
        assert_eq!(response.json()["boundary"]["intercept"], intercept);
    }
    let found = client.get(SMILE).await.json();
    assert_eq!(numbers(&found["normal"]), [0.6, 0.0, 0.0, 0.8]);
}

/// A form with these parts.
fn form(uri: &str, parts: &[(&str, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, content) in parts {
        let head = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--limit--\r\n");
    let request = Request::put(uri).header(header::CONTENT_TYPE, "multipart/form-data; boundary=limit");
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn a_file_may_be_the_part_of_a_form() {
    let client = Client::sketch();
    let (shape, values) = (vec![4], vec![0.0, 3.0, 0.0, 4.0]);
    let file = NpyArray { shape, values }.write_f4();
    for request in [
        form(&format!("{SMILE}?intercept=10"), &[("file", &file)]),
        form(SMILE, &[("file", &file), ("intercept", b"10")]),
    ] {
        let response = client.send(request).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.json());
        assert_eq!(response.json()["boundary"]["intercept"], 2.0);
    }
    let large = vec![0; 3 << 20];
    for (parts, status, says) in [
        (&[("smile", &file[..])][..], 422, "expected text"),
        (
            &[("intercept", b"1")],
            422,
            "file: missing, expected one .npy, .npz or .pt file",
        ),
        (&[("file", &file), ("file", &file)], 422, "found several files"),
        (
            &[("file", &file), ("colour", b"red")],
            422,
            "colour: unknown field",
        ),
        (&[("file", b"<html>")], 422, "found an HTML or XML page"),
        (&[("file", &large)], 413, "2097152"),
    ] {
        let response = client.send(form(SMILE, parts)).await;
        let text = String::from_utf8_lossy(&response.body);
        assert!(response.status == status && text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn a_direction_of_e4e_is_put_as_its_file_is() {
    let client = Client::sketch();
    let uri = "/v1/models/sketch/boundaries/beard/w+";
    let direction: Vec<f32> = (0..12_u8).map(f32::from).collect();
    let file = torch_file(&[1, 3, 4], &direction);
    for kind in [
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "application/zip",
    ] {
        let request = Request::put(uri).header(header::CONTENT_TYPE, kind);
        let response = client.send(request.body(file.clone().into()).unwrap()).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.json());
    }
    let found = client.get(uri).await.json();
    let length = direction.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!(
        (found["length"].as_f64().unwrap() - f64::from(length)).abs() < 1e-5,
        "{found}"
    );
    assert!((found["normal"][2][3].as_f64().unwrap() - 11.0 * 3f64.sqrt() / f64::from(length)).abs() < 1e-6);
    let evil = Pickle::new()
        .global("torch._utils", "_rebuild_tensor_v2")
        .op(b"(")
        .global("evil", "storage");
    let evil = evil
        .op(b")R")
        .integer(0)
        .integers(&[1])
        .integers(&[1])
        .op(b"\x89NtR")
        .finish();
    let two = whole(whole(Pickle::new().op(b"]"), &[4]).op(b"a"), &[4])
        .op(b"a")
        .zip(&[0; 16]);
    for (file, says) in [
        (evil, "evil.storage"),
        (two, "found 2 arrays (0, 1); expected one"),
        (
            Pickle::new().repeat(b"N0", 1 << 16).op(b"N").finish(),
            "at most 32768 steps",
        ),
        (
            torch_file(&[4], &[1.0; 4]),
            "found the shape [4], expected (layers, dim)",
        ),
    ] {
        let response = put_file(&client, uri, file).await;
        let text = String::from_utf8_lossy(&response.body);
        assert!(response.status == 422 && text.contains(says), "{text}");
    }
}
