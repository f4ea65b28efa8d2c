//! Latent codes in the files that people have.

use std::io::{Cursor, Write as _};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::catalog::NpyArray;
use serde_json::{Value, json};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::checkpoint::pickle_writer::torch_file;
use crate::support::{Client, numbers};

/// The codes of two faces in w+, of 3 layers of 4 numbers.
const CODES: [f32; 24] = [
    0.0, 0.5, -0.5, 1.0, 1.5, -1.5, 2.0, 2.5, -2.5, 3.0, 3.5, -3.5, //
    4.0, 4.5, -4.5, 5.0, 5.5, -5.5, 6.0, 6.5, -6.5, 7.0, 7.5, -7.5,
];

/// An array of these codes.
fn array(shape: &[usize]) -> NpyArray {
    let count = shape.iter().product();
    let values = CODES[..count].iter().copied().map(f64::from).collect();
    NpyArray {
        shape: shape.to_vec(),
        values,
    }
}

/// A file of `numpy.savez`, or of `numpy.savez_compressed`.
fn npz(method: CompressionMethod, arrays: &[(&str, NpyArray)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, array) in arrays {
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(&array.write_f4()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A `.npy` file of a type that NumPy names `descr`.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
}

/// Scores the face of a code in a file.
async fn score(client: &Client, space: &str, file: &[u8], index: Option<u32>) -> (StatusCode, Value) {
    let mut latent = json!({"space": space, "file": STANDARD.encode(file)});
    if let Some(index) = index {
        latent["index"] = index.into();
    }
    let response = client.post("/v1/score", json!({"latent": latent})).await;
    (response.status, response.json())
}

/// The numbers of a code in a response.
fn code(response: &Value) -> Vec<f64> {
    let rows = response["latent"]["values"].as_array().unwrap();
    if rows[0].is_array() {
        return rows.iter().flat_map(numbers).collect();
    }
    numbers(&response["latent"]["values"])
}

#[tokio::test]
async fn a_code_is_read_from_the_files_of_projectors_and_encoders() {
    let client = Client::sketch();
    let expected: Vec<f64> = CODES[..12].iter().copied().map(f64::from).collect();
    for (kind, file) in [
        ("numpy.save", array(&[1, 3, 4]).write_f4()),
        (
            "projected_w.npz",
            npz(CompressionMethod::Stored, &[("w", array(&[1, 3, 4]))]),
        ),
        (
            "savez_compressed",
            npz(CompressionMethod::Deflated, &[("w", array(&[3, 4]))]),
        ),
        ("latents.pt", torch_file(&[1, 3, 4], &CODES[..12])),
    ] {
        let (status, response) = score(&client, "w+", &file, None).await;
        assert_eq!(status, StatusCode::OK, "{kind}: {response}");
        assert_eq!(code(&response), expected, "{kind}");
    }
    let (_, response) = score(&client, "w", &torch_file(&[4], &CODES[8..12]), Some(0)).await;
    assert_eq!(code(&response), [-2.5, 3.0, 3.5, -3.5]);
}

#[tokio::test]
async fn one_of_several_codes_in_a_file_is_chosen_by_its_index() {
    let client = Client::sketch();
    let pt = torch_file(&[2, 3, 4], &CODES);
    for file in [&pt, &array(&[2, 3, 4]).write_f8()] {
        let (status, response) = score(&client, "w+", file, Some(1)).await;
        assert_eq!(status, StatusCode::OK, "{response}");
        assert_eq!(code(&response)[..2], [4.0, 4.5]);
    }
    let rows = array(&[6, 4]).write_f4();
    let (_, response) = score(&client, "z", &rows, Some(5)).await;
    assert_eq!(code(&response), [-6.5, 7.0, 7.5, -7.5]);
    let two = npz(
        CompressionMethod::Stored,
        &[("w", array(&[3, 4])), ("z", array(&[4]))],
    );
    for (space, file, index, says) in [
        ("w+", &pt, Some(2), "latent.index: found 2, expected 0 to 1"),
        ("z", &pt, None, "found the shape [2, 3, 4], expected (dim)"),
        ("w+", &rows, Some(1), "latent.index: found 1, expected 0 to 0"),
        ("w+", &two, None, "found 2 arrays (w, z); expected one"),
    ] {
        let (status, response) = score(&client, space, file, index).await;
        assert_eq!(status, 422, "{response}");
        assert!(response.to_string().contains(says), "{response}");
    }
    let beside = json!({"space": "z", "values": [1, 2, 3, 4], "index": 0});
    let response = client.post("/v1/score", json!({"latent": beside})).await.json();
    assert!(
        response.to_string().contains("expected it beside a file"),
        "{response}"
    );
}

#[tokio::test]
async fn codes_of_every_type_of_numbers_are_read() {
    let client = Client::sketch();
    let cases = [
        (">f4", [1f32, -2.0, 0.0, 3.0].map(f32::to_be_bytes).concat()),
        (">f8", [1f64, -2.0, 0.0, 3.0].map(f64::to_be_bytes).concat()),
        ("<i8", [1i64, -2, 0, 3].map(i64::to_le_bytes).concat()),
        (">i2", [1i16, -2, 0, 3].map(i16::to_be_bytes).concat()),
    ];
    for (descr, elements) in cases {
        let (status, response) = score(&client, "w", &npy(descr, "(1, 4)", &elements), None).await;
        assert_eq!(status, StatusCode::OK, "{descr}: {response}");
        assert_eq!(code(&response), [1.0, -2.0, 0.0, 3.0], "{descr}");
    }
    let (_, response) = score(&client, "w", &npy("|b1", "(4,)", &[1, 0, 1, 1]), None).await;
    assert_eq!(code(&response), [1.0, 0.0, 1.0, 1.0]);
}

#[tokio::test]
async fn a_file_that_grows_when_it_is_unpacked_is_refused() {
    let large = NpyArray {
        shape: vec![1 << 23],
        values: vec![0.0; 1 << 23],
    };
    let file = npz(CompressionMethod::Deflated, &[("w", large)]);
    assert!(file.len() < 100_000);
    let (status, response) = score(&Client::sketch(), "w", &file, None).await;
    assert_eq!(status, 422);
    assert!(
        response.to_string().contains("a compressed entry of"),
        "{response}"
    );
}
