//! Images as the source of a face in `/v1/edit`, `/v1/conditional-edit` and `/v1/score`.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Client, Response, numbers, phantom};

async fn send(client: &Client, uri: &str, kind: &str, file: Vec<u8>) -> Response {
    let request = Request::post(uri)
        .header("content-type", kind)
        .header("accept", "application/json");
    client.send(request.body(Body::from(file)).unwrap()).await
}

#[tokio::test]
async fn a_png_from_the_service_is_edited_and_scored_by_the_code_in_its_metadata() {
    let client = Client::sketch();
    for options in ["space=w", "space=z", "space=z&psi=0.5", "space=w%2B"] {
        let file = client.get(&format!("/v1/sample?seed=7&{options}")).await.body;
        let face = client
            .get(&format!("/v1/sample?seed=7&{options}&format=json"))
            .await
            .json();
        let sampled = &face["faces"][0];
        let scored = send(&client, "/v1/score", "image/png", file.clone()).await;
        // The model has no encoder, so the code can only come from the file.
        assert_eq!(scored.status, StatusCode::OK, "{options}: {}", scored.json());
        assert_eq!(scored.json()["latent"], sampled["latent"], "{options}");
        for item in scored.json()["scores"].as_array().unwrap() {
            let attribute = item["attribute"].as_str().unwrap();
            assert_eq!(item["score"], sampled["scores"][attribute], "{options}");
        }
        let image = STANDARD.encode(&file);
        let body = json!({"image": image, "edits": [{"attribute": "smile", "by": 0}], "format": "json"});
        let edited = client.post("/v1/edit", body).await.json();
        assert_eq!(edited["before"]["latent"], sampled["latent"], "{options}");
    }
}

#[tokio::test]
async fn an_image_in_any_form_of_base64_is_read() {
    let client = Client::sketch();
    let file = client.get("/v1/sample?seed=7").await.body;
    let plain = STANDARD.encode(&file);
    let expected = client.post("/v1/score", json!({"image": plain})).await.json();
    let lines: Vec<&str> = plain
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    for image in [
        format!("data:image/png;base64,{plain}"),
        lines.join("\r\n"),
        plain.replace('+', "-").replace('/', "_"),
        plain.trim_end_matches('=').to_owned(),
    ] {
        let scored = client.post("/v1/score", json!({"image": image})).await.json();
        assert_eq!(scored["latent"], expected["latent"], "{image:.40}: {scored}");
    }
}

#[tokio::test]
async fn a_code_may_be_nested_in_a_list_of_one() {
    let client = Client::sketch();
    let row = [0.5, -0.5, 0.25, 1.0];
    for (space, values) in [("w", json!(row)), ("z", json!(row)), ("w+", json!(vec![row; 3]))] {
        let latent = json!({"space": space, "values": values});
        let expected = client.post("/v1/score", json!({"latent": latent})).await.json();
        let latent = json!({"space": space, "values": [values]});
        let nested = client.post("/v1/score", json!({"latent": latent})).await.json();
        assert_eq!(nested["latent"], expected["latent"], "{space}: {nested}");
        assert!(nested["latent"].is_object(), "{space}: {nested}");
    }
}

#[tokio::test]
async fn an_image_without_metadata_is_inverted_first() {
    let client = Client::new(phantom(), std::time::Duration::from_mins(2));
    let file = client.get("/v1/sample?seed=7&metadata=none").await.body;
    let inverted = send(&client, "/v1/invert", "image/png", file.clone()).await;
    let inverted: Value = inverted.json();
    let uri = "/v1/conditional-edit?edit=smile:1&condition=age";
    let edited = send(&client, uri, "image/png", file).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.json());
    // Steps that share a run round differently, so two optimizations end close to each other, not at the same code.
    let values = |latent: &Value| {
        numbers(&latent["values"].as_array().map_or(Value::Null, |rows| {
            rows.first()
                .filter(|row| row.is_array())
                .cloned()
                .unwrap_or(latent["values"].clone())
        }))
    };
    let (one, other) = (
        values(&edited.json()["before"]["latent"]),
        values(&inverted["face"]["latent"]),
    );
    let squares = |values: Vec<f64>| values.iter().map(|value| value * value).sum::<f64>();
    let difference = squares(one.iter().zip(&other).map(|(a, b)| a - b).collect());
    assert_eq!(one.len(), other.len());
    assert!(difference < 0.04 * squares(other), "{difference}");
}

#[tokio::test]
async fn a_file_that_is_not_an_image_is_refused_with_the_field_name() {
    let client = Client::sketch();
    let file = client.get("/v1/sample?seed=7").await.body;
    let without_metadata = client.get("/v1/sample?seed=7&metadata=none").await.body;
    let image = STANDARD.encode(&file);
    let can_invert = Client::new(phantom(), std::time::Duration::from_mins(2));
    for (client, body, expected) in [
        (
            &client,
            json!({"image": image, "seed": 7}),
            "found a seed beside it",
        ),
        (&client, json!({"image": "?"}), "not base64"),
        (
            &can_invert,
            json!({"image": STANDARD.encode(b"no image")}),
            "no image",
        ),
        (
            &client,
            json!({"image": STANDARD.encode(&without_metadata)}),
            "[encoder]",
        ),
    ] {
        let response = client.post("/v1/score", body).await;
        assert_eq!(
            response.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            response.json()
        );
        assert!(
            response.json().to_string().contains(expected),
            "{}",
            response.json()
        );
    }
    let with_psi_in_url = send(&client, "/v1/score?psi=0.5", "application/json", b"{}".to_vec()).await;
    assert_eq!(with_psi_in_url.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_metadata_of_an_edited_image_holds_the_code_and_not_the_image() {
    let client = Client::sketch();
    let image = STANDARD.encode(client.get("/v1/sample?seed=7").await.body);
    let body = json!({"image": image, "edits": [{"attribute": "smile", "by": 2}]});
    let file = client.post("/v1/edit", body).await.body;
    let text = faceplane::imaging::read_metadata(&file).recipe.unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["request"].get("image"), None);
    assert!(metadata["request"]["latent"].is_object());
}

/// A form as curl's `-F` sends it.
fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, content) in parts {
        let file = if *name == "file" {
            "; filename=\"photo\""
        } else {
            ""
        };
        let head = format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--edge--\r\n");
    form
}

const FORM: &str = "multipart/form-data; boundary=edge";

#[tokio::test]
async fn a_form_and_a_url_with_an_image_body_are_equivalent() {
    let client = Client::sketch();
    let file = client.get("/v1/sample?seed=7").await.body;
    let uri = "/v1/conditional-edit?edit=smile:2&edit=grin:1&condition=age&space=w";
    let by_url = send(&client, uri, "image/png", file.clone()).await;
    assert_eq!(by_url.status, StatusCode::OK, "{}", by_url.json());
    let parts: [(&str, &[u8]); 4] = [
        ("edit", b"smile:2"),
        ("edit", b"grin:1"),
        ("file", &file),
        ("condition", b"age"),
    ];
    let uri = "/v1/conditional-edit?space=w";
    let by_form = send(&client, uri, FORM, form(&parts)).await;
    assert_eq!(by_form.status, StatusCode::OK, "{}", by_form.json());
    assert_eq!(by_form.json()["faces"], by_url.json()["faces"]);
}

#[tokio::test]
async fn an_invalid_form_is_refused_with_the_reason() {
    let client = Client::sketch();
    let file = client.get("/v1/sample?seed=7").await.body;
    let cases: [(Vec<u8>, StatusCode, &str); 5] = [
        (
            form(&[("psi", b"1")]),
            StatusCode::UNPROCESSABLE_ENTITY,
            "file: missing",
        ),
        (
            form(&[("file", &file), ("file", &file)]),
            StatusCode::UNPROCESSABLE_ENTITY,
            "several files",
        ),
        (
            form(&[("file", &file), ("colour", b"red")]),
            StatusCode::UNPROCESSABLE_ENTITY,
            "colour",
        ),
        (
            form(&[("file", &file), ("psi", b"much")]),
            StatusCode::UNPROCESSABLE_ENTITY,
            "expected a number",
        ),
        (
            b"--edge\r\nno form".to_vec(),
            StatusCode::BAD_REQUEST,
            "cannot be decoded",
        ),
    ];
    for (body, status, expected) in cases {
        let response = send(&client, "/v1/score", FORM, body).await;
        assert_eq!(response.status, status, "{}", response.json());
        assert!(
            response.json().to_string().contains(expected),
            "{}",
            response.json()
        );
    }
    let without_boundary = send(&client, "/v1/score", "multipart/form-data", file).await;
    assert_eq!(without_boundary.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_without_a_known_type_is_refused_with_the_three_accepted_types() {
    let client = Client::sketch();
    for path in ["/v1/invert", "/v1/edit", "/v1/conditional-edit", "/v1/score"] {
        let response = send(&client, path, "text/plain", b"photo.jpg".to_vec()).await;
        assert_eq!(response.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let text = response.json().to_string();
        for example in ["--json", "-F file=@photo.jpg", "--data-binary @photo.jpg"] {
            assert!(text.contains(example), "{path}: {text}");
        }
    }
}
