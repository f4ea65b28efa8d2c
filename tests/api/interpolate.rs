//! `/v1/interpolate`.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::api::layouts::files_of;
use crate::support::{Client, numbers, phantom};

fn code(face: &Value) -> Vec<f64> {
    numbers(&face["latent"]["values"])
}

fn length(code: &[f64]) -> f64 {
    code.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// The number of frames of a PNG.
fn frames(file: &[u8]) -> u32 {
    let reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    reader
        .info()
        .animation_control
        .map_or(1, |control| control.num_frames)
}

#[tokio::test]
async fn each_face_has_a_frame_with_the_bytes_that_sample_sends() {
    let options = [
        "",
        "&psi=0.5",
        "&psi=0.5&truncation_layers=1",
        "&space=z",
        "&space=z&psi=0.5",
        "&space=w%2B",
    ];
    for client in [
        Client::sketch(),
        Client::new(phantom(), std::time::Duration::from_mins(1)),
    ] {
        for options in options {
            let moved = client
                .get(&format!(
                    "/v1/interpolate?seeds=7,8,12&frames=7&layout=zip&metadata=none{options}"
                ))
                .await;
            let files = files_of(&moved);
            assert_eq!(files.len(), 7, "{options}");
            for (frame, seed) in [(0, 7), (3, 8), (6, 12)] {
                let sampled = client
                    .get(&format!("/v1/sample?seed={seed}&metadata=none{options}"))
                    .await;
                assert!(
                    sampled.body == files[frame].1,
                    "{options}: seed {seed} at {frame}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_motion_is_straight_in_w_and_keeps_the_length_in_z() {
    let client = Client::sketch();
    let motion = async |space: &str| {
        let uri = format!("/v1/interpolate?seeds=7,8&frames=5&space={space}&format=json");
        let response = client.get(&uri).await.json();
        assert_eq!(numbers(&response["positions"]), [0.0, 0.25, 0.5, 0.75, 1.0]);
        let faces = response["faces"].as_array().unwrap();
        assert_eq!((&faces[0]["seed"], &faces[4]["seed"]), (&json!(7), &json!(8)));
        assert_eq!(faces[2]["seed"], Value::Null);
        faces.iter().map(code).collect::<Vec<_>>()
    };
    let straight = motion("w").await;
    for (index, found) in straight[1].iter().enumerate() {
        let expected = 0.75 * straight[0][index] + 0.25 * straight[4][index];
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    // The sketch does not rescale its z codes, so the lengths of the ends differ, and the arc goes from one to the other.
    let arc = motion("z").await;
    let (first, last) = (length(&arc[0]), length(&arc[4]));
    let cosine = arc[0].iter().zip(&arc[4]).map(|(a, b)| a * b).sum::<f64>() / first / last;
    let angle = cosine.acos();
    for (index, found) in arc[2].iter().enumerate() {
        let weight = (angle / 2.0).sin() / angle.sin();
        let expected = weight * (arc[0][index] + arc[4][index]);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[tokio::test]
async fn a_loop_goes_back_to_the_first_face_and_does_not_repeat_it() {
    let client = Client::sketch();
    let uri = "/v1/interpolate?seeds=7,8&frames=4&loop=true&format=json";
    let response = client.get(uri).await.json();
    assert_eq!(numbers(&response["positions"]), [0.0, 0.5, 1.0, 1.5]);
    let faces = response["faces"].as_array().unwrap();
    for (there, back) in code(&faces[1]).into_iter().zip(code(&faces[3])) {
        assert!((there - back).abs() < 1e-6);
    }
}

#[tokio::test]
async fn an_easing_moves_the_frames_between_the_faces() {
    let client = Client::sketch();
    let positions = async |easing: &str| {
        let uri = format!("/v1/interpolate?seeds=7,8&frames=5&easing={easing}&format=json");
        numbers(&client.get(&uri).await.json()["positions"])
    };
    let eased = positions("ease-in-out").await;
    assert!(eased[1] < 0.2 && eased[3] > 0.8, "{eased:?}");
    assert_eq!((eased[0], eased[2], eased[4]), (0.0, 0.5, 1.0));
    assert!(positions("ease-in").await[2] < 0.4);
    assert!(positions("ease-out").await[2] > 0.6);
}

#[tokio::test]
async fn the_response_is_an_animation_unless_a_layout_is_asked_for() {
    let client = Client::sketch();
    let png = client.get("/v1/interpolate?seeds=7,8&frames=6").await;
    assert_eq!(
        (png.header("content-type"), frames(&png.body)),
        (Some("image/png"), 6)
    );
    assert_eq!(png.header("cache-control"), Some("public, no-cache"));
    let (width, height, _) = client
        .get("/v1/interpolate?seeds=7,8&frames=6&layout=strip")
        .await
        .pixels();
    assert_eq!((width, height), (6 * 8, 8));
    for format in ["gif", "webp"] {
        let uri = format!("/v1/interpolate?seeds=7,8&frames=6&frame_time=40&format={format}");
        let response = client.get(&uri).await;
        assert_eq!(response.header("content-type"), Some(&*format!("image/{format}")));
    }
    // The default is as many frames as the service allows, at most 30.
    assert_eq!(frames(&client.get("/v1/interpolate?seeds=7,8").await.body), 16);
}

#[tokio::test]
async fn seeds_codes_and_images_are_mixed_in_one_motion() {
    let client = Client::sketch();
    let image = STANDARD.encode(client.get("/v1/sample?seed=9&space=w%2B").await.body);
    let latent = json!({"space": "w", "values": [0.1, 0.2, 0.3, 0.4]});
    let faces = json!([{"seed": 7}, {"latent": latent}, {"image": image}]);
    let body = json!({"faces": faces, "frames": 3, "layout": "zip", "metadata": "none"});
    let files = files_of(&client.post("/v1/interpolate", body.clone()).await);
    let own = [
        json!({"seed": 7, "metadata": "none"}),
        json!({"latent": latent, "metadata": "none"}),
        json!({"seed": 9, "metadata": "none"}),
    ];
    for ((_, file), own) in files.iter().zip(own) {
        assert!(
            *file == client.post("/v1/sample", own.clone()).await.body,
            "{own}"
        );
    }
    // A face without a seed gets one, and a URL takes seeds and codes beside each other.
    let body = json!({"faces": [{}, {"seed": 8}], "frames": 2, "format": "json"});
    let response = client.post("/v1/interpolate", body).await;
    assert!(response.json()["faces"][0]["seed"].is_u64());
    let uri = "/v1/interpolate?face=7-8&face=w:0.1,0.2,0.3,0.4&frames=3&format=json";
    let response = client.get(uri).await.json();
    assert_eq!(response["faces"][1]["seed"], 8);
    assert_eq!(response["faces"][2]["latent"], latent);
}

#[tokio::test]
async fn the_metadata_of_an_animation_makes_it_again() {
    let client = Client::sketch();
    let first = client
        .get("/v1/interpolate?seeds=7,8&frames=4&easing=ease-in&loop=true")
        .await;
    let text = faceplane::imaging::read_metadata(&first.body).recipe.unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["path"], "/v1/interpolate");
    let again = client.post("/v1/interpolate", metadata["request"].clone()).await;
    assert!(again.body == first.body, "{}", metadata["request"]);
}

#[tokio::test]
async fn requests_that_say_no_motion_are_refused() {
    let client = Client::sketch();
    let z = |value: f64| json!({"space": "z", "values": [value, value, 0.0, 0.0]});
    for (body, reason) in [
        (json!({}), "two or more seeds"),
        (json!({"seeds": [7]}), "found 1 faces, expected at least 2"),
        (
            json!({"seeds": [7, 8, 9], "frames": 2}),
            "found 2 frames for 3 faces",
        ),
        (
            json!({"seeds": [7, 8], "faces": [{"seed": 7}]}),
            "found faces beside it",
        ),
        (json!({"seeds": [7, 8], "frames": 17}), "expected 1 to 16"),
        (json!({"seeds": [7, 8], "loop": "yes"}), "expected true or false"),
        (
            json!({"seeds": [7, 8], "easing": "bounce"}),
            "expected linear, ease-in, ease-out or ease-in-out",
        ),
        (json!({"seeds": [7, 8], "format": "jpeg"}), "animation for a JPEG"),
        (
            json!({"faces": [{"seed": 7, "latent": z(1.0)}, {"seed": 8}]}),
            "faces[0].seed: found a latent code beside it",
        ),
        (
            json!({"faces": [{"seed": 7}, {"latent": {"space": "w", "values": [1.0]}}]}),
            "shape [1, 1]",
        ),
        (
            json!({"faces": [{"latent": z(1.0)}, {"latent": z(-2.0)}], "frames": 3}),
            "no shortest arc",
        ),
        (
            json!({"faces": [{"latent": {"space": "w", "values": [0, 0, 0, 1]}}, {"seed": 8}], "space": "z"}),
            "cannot become a z code",
        ),
    ] {
        let response = client.post("/v1/interpolate", body.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let problem = response.json();
        let detail = problem["detail"].as_str().unwrap();
        let field = problem["field"].as_str().unwrap_or_default();
        let said = format!("{field}: {detail}");
        assert!(said.contains(reason) || detail.contains(reason), "{body}: {said}");
    }
}

#[tokio::test]
async fn an_image_of_another_truncation_is_refused_until_the_request_names_one_for_all() {
    let client = Client::sketch();
    let image = STANDARD.encode(client.get("/v1/sample?seed=9&space=z&psi=0.5").await.body);
    let mut body = json!({"faces": [{"seed": 7}, {"image": image}], "space": "w", "frames": 2});
    let response = client.post("/v1/interpolate", body.clone()).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.json()["field"], "faces[1]");
    body["psi"] = json!(0.5);
    assert_eq!(client.post("/v1/interpolate", body).await.status, StatusCode::OK);
}
