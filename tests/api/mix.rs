//! `/v1/mix`.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::layouts::files_of;
use crate::support::{Client, LAYERS};

/// The layer of a w+ code.
fn layer(face: &Value, layer: usize) -> &Value {
    &face["latent"]["values"][layer]
}

#[tokio::test]
async fn a_cell_has_the_chosen_layers_of_its_column_and_the_others_of_its_row() {
    let client = Client::sketch();
    let uri = "/v1/mix?rows=7,8&columns=20-22&layers=1-2&format=json";
    let response = client.get(uri).await.json();
    let cells = response["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    for (row, cells) in cells.iter().enumerate() {
        let cells = cells.as_array().unwrap();
        assert_eq!(cells.len(), 3);
        for (column, cell) in cells.iter().enumerate() {
            let (of_row, of_column) = (&response["rows"][row], &response["columns"][column]);
            assert_eq!(cell["latent"]["space"], "w+");
            for index in 0..LAYERS {
                let expected = if index == 0 { of_row } else { of_column };
                assert_eq!(
                    layer(cell, index),
                    layer(expected, index),
                    "{row} {column} {index}"
                );
            }
        }
    }
    assert_eq!(response["columns"][2]["seed"], 22);
    assert_eq!(response["rows"][1]["seed"], 8);
}

#[tokio::test]
async fn the_table_has_the_columns_above_and_the_rows_before_the_mixtures() {
    let client = Client::sketch();
    let response = client.get("/v1/mix?rows=7,8&columns=20-22&layers=0").await;
    assert_eq!(response.header("cache-control"), Some("public, no-cache"));
    let (width, height, table) = response.pixels();
    assert_eq!((width, height), (4 * 8, 3 * 8));
    let place = |row: usize, column: usize| -> Vec<u8> {
        let line = |y: usize| {
            let start = 3 * ((row * 8 + y) * 32 + column * 8);
            table[start..start + 24].to_vec()
        };
        (0..8).flat_map(line).collect()
    };
    assert!(
        place(0, 0).iter().all(|&value| value == 255),
        "the corner is white"
    );
    for (at, seed) in [((0, 1), 20), ((0, 3), 22), ((1, 0), 7), ((2, 0), 8)] {
        let (_, _, sampled) = client.get(&format!("/v1/sample?seed={seed}")).await.pixels();
        assert_eq!(place(at.0, at.1), sampled, "seed {seed}");
    }
    // All layers of the column are the column's face.
    let uri = format!("/v1/mix?rows=7&columns=20&layers=0-{}", LAYERS - 1);
    let (_, _, table) = client.get(&uri).await.pixels();
    assert_eq!(table[3 * 8..3 * 16], table[3 * (8 * 16 + 8)..3 * (8 * 16 + 16)]);
}

#[tokio::test]
async fn an_archive_names_each_file_by_its_place() {
    let client = Client::sketch();
    let response = client
        .get("/v1/mix?rows=7&columns=20,7&layers=0&layout=zip")
        .await;
    let names: Vec<String> = files_of(&response).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "column0-seed20.png",
        "column1-seed7.png",
        "row0-seed7.png",
        "row0-column0.png",
        "row0-column1.png",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn codes_and_images_are_mixed_as_seeds_are() {
    let client = Client::sketch();
    let image = STANDARD.encode(client.get("/v1/sample?seed=20&space=w%2B").await.body);
    let sampled = client.get("/v1/sample?seed=7&format=json").await.json();
    let body = json!({"rows": [{"latent": sampled["faces"][0]["latent"]}], "columns": [{"image": image}], "layers": "0",
        "metadata": "none"});
    let mixed = client.post("/v1/mix", body).await;
    let seeds = client
        .get("/v1/mix?rows=7&columns=20&layers=0&metadata=none")
        .await;
    assert!(mixed.body == seeds.body);
}

#[tokio::test]
async fn requests_that_cannot_be_mixed_are_refused() {
    let client = Client::sketch();
    for (query, reason) in [
        ("rows=7&columns=8", "missing"),
        ("rows=7&columns=8&layers=3", "layers 3-3"),
        (
            "rows=1-4&columns=1-3&layers=0",
            "found 4 rows and 3 columns, which are 19 images",
        ),
        ("rows=7&columns=w:0.1&layers=0", "shape [1, 1]"),
        (
            "rows=7&columns=8&layers=0&layout=animation",
            "expected grid or zip",
        ),
        (
            "rows=7&columns=8&layers=0&layout=zip&format=json",
            "zip or stream for JSON",
        ),
    ] {
        let response = client.get(&format!("/v1/mix?{query}")).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let problem = response.json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(reason), "{query}: {detail}");
    }
}
