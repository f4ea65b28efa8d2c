//! Boundaries that a store has kept since before w+ measured in the unit of w: they are read, and edit as they did.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::catalog::NpyArray;
use serde_json::{Value, json};

use crate::api::boundaries::with_store;
use crate::support::{DIM, LAYERS, numbers};

const INTERCEPT: f64 = 0.5;

/// A normal whose values together have the length 1.
fn normal(rows: usize) -> Vec<f64> {
    let values: Vec<f64> = (0..rows * DIM)
        .map(|index| f64::from(u8::try_from(index % 5).unwrap()) - 1.0)
        .collect();
    let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
    values.into_iter().map(|value| value / length).collect()
}

fn distance(normal: &[f64], face: &Value, rows: usize) -> f64 {
    let values = &face["latent"]["values"];
    let code: Vec<f64> = if rows == 1 {
        numbers(values)
    } else {
        values.as_array().unwrap().iter().flat_map(numbers).collect()
    };
    let products = normal.iter().zip(&code).map(|(one, other)| one * other);
    products.sum::<f64>() + INTERCEPT
}

#[tokio::test]
async fn boundaries_that_were_stored_before_edit_as_they_did() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sketch")).unwrap();
    for (space, shape) in [
        ("z", vec![1, DIM]),
        ("w", vec![1, DIM]),
        ("w+", vec![LAYERS, DIM]),
    ] {
        let rows = shape[0];
        let npy = NpyArray {
            shape,
            values: normal(rows),
        };
        let card = json!({
            "attribute": "beard", "space": space, "intercept": INTERCEPT,
            "accuracy": {"train": null, "held_out": 0.9, "all": null}
        });
        let record = json!({"boundary": {"card": card, "npy": STANDARD.encode(npy.write_f8())}});
        let path = folder.path().join(format!("sketch/beard_{space}.json"));
        std::fs::write(path, record.to_string()).unwrap();
    }
    let client = with_store(folder.path());
    // In z and w, the usual unit has always been that of the file.
    for (space, rows, unit) in [
        ("z", 1, None),
        ("z", 1, Some("file")),
        ("w", 1, None),
        ("w", 1, Some("file")),
        ("w+", LAYERS, Some("file")),
    ] {
        let normal = normal(rows);
        for (key, amount) in [("by", 2.0), ("to", -1.5)] {
            let mut body = json!({
                "seed": 7, "space": space, "format": "json", "edits": [{"attribute": "beard", key: amount}]
            });
            if let Some(unit) = unit {
                body["unit"] = json!(unit);
            }
            let response = client.post("/v1/edit", body).await;
            assert_eq!(response.status, StatusCode::OK);
            let response = response.json();
            let before = distance(&normal, &response["before"], rows);
            let after = distance(&normal, &response["faces"][0], rows);
            let expected = if key == "by" { before + amount } else { amount };
            assert!(
                (after - expected).abs() < 1e-5,
                "{key} in {space}: {before} becomes {after}"
            );
        }
    }
}
