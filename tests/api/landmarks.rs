//! Photographs aligned by face landmarks, from the request or from the model's landmark network.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::editor::{Model, Models};
use image::{ImageFormat, Rgb, RgbImage, imageops};
use serde_json::{Value, json};

use crate::support::{Client, load, phantom};

/// Eyes, nose and corners of the mouth of the face of seed 7, in pixels.
const LANDMARKS: [[f64; 2]; 5] = [
    [110.3, 123.2],
    [155.2, 121.9],
    [133.5, 143.9],
    [119.6, 168.0],
    [148.7, 167.1],
];

fn client() -> Client {
    Client::new(phantom(), Duration::from_mins(1))
}

/// The face of seed 7 as pixels, without metadata.
async fn face_of_seed_7(client: &Client) -> RgbImage {
    let file = client.get("/v1/sample?seed=7&metadata=none").await.body;
    image::load_from_memory(&file).unwrap().into_rgb8()
}

/// The face on a white background of 700 × 500 pixels, with its upper left corner at (x, y).
fn paste(face: &RgbImage, x: i64, y: i64) -> RgbImage {
    let mut background = RgbImage::from_pixel(700, 500, Rgb([255; 3]));
    imageops::replace(&mut background, face, x, y);
    background
}

fn png(photo: &RgbImage) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    photo.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Points as the parameter `landmarks` takes them: `x,y,x,y,…`.
fn parameter(points: &[[f64; 2]]) -> String {
    separated_by(",", points)
}

fn separated_by(separator: &str, points: &[[f64; 2]]) -> String {
    let points: Vec<_> = points.iter().map(|[x, y]| format!("{x},{y}")).collect();
    points.join(separator)
}

async fn invert(client: &Client, options: &str, photo: &RgbImage) -> (StatusCode, Value) {
    let request = Request::post(format!("/v1/invert?method=encoder&{options}"))
        .header("content-type", "image/png")
        .header("accept", "application/json");
    let response = client.send(request.body(Body::from(png(photo))).unwrap()).await;
    (response.status, response.json())
}

/// The aligned image that the encoder received.
fn target(response: &Value) -> RgbImage {
    let file = STANDARD.decode(response["target"].as_str().unwrap()).unwrap();
    image::load_from_memory(&file).unwrap().into_rgb8()
}

/// The mean absolute difference of the centres of two images, in levels of 0 to 255.
fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    let centre = |image: &RgbImage| imageops::crop_imm(image, 64, 64, 128, 128).to_image();
    let (one, other) = (centre(one), centre(other));
    let pairs = one.iter().zip(other.iter());
    pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / f64::from(3 * 128 * 128)
}

#[tokio::test]
async fn a_face_anywhere_in_an_image_is_moved_to_the_position_that_the_model_expects() {
    let client = client();
    let face = face_of_seed_7(&client).await;
    let (status, response) = invert(&client, &format!("landmarks={}", parameter(&LANDMARKS)), &face).await;
    assert_eq!(status, StatusCode::OK, "{response}");
    let expected = target(&response);
    for turned in [false, true] {
        let mut photo = paste(&face, 390, 30);
        let mut points = LANDMARKS.map(|[x, y]| [x + 390.0, y + 30.0]);
        if turned {
            photo = imageops::rotate180(&photo);
            points = points.map(|[x, y]| [700.0 - x, 500.0 - y]);
        }
        let (status, response) = invert(&client, &format!("landmarks={}", parameter(&points)), &photo).await;
        assert_eq!(status, StatusCode::OK, "{response}");
        let levels = difference(&target(&response), &expected);
        assert!(levels < 1.0, "{levels} levels, turned: {turned}");
        let (_, without_landmarks) = invert(&client, "", &photo).await;
        assert!(
            difference(&target(&without_landmarks), &expected) > 10.0,
            "without landmarks, the centre of the image is used, and the face is not there"
        );
        let body = json!({"image": STANDARD.encode(png(&photo)), "landmarks": points, "method": "encoder", "format": "json"});
        let again = client.post("/v1/invert", body).await.json();
        assert_eq!(again["target"], response["target"]);
    }
    // The aligned image is only similar: the eyes of a sample are not exactly where those of the mean face are.
    assert!(
        difference(&expected, &face) < 25.0,
        "{}",
        difference(&expected, &face)
    );
}

#[tokio::test]
async fn points_may_be_separated_by_commas_blanks_or_semicolons() {
    let client = client();
    let face = face_of_seed_7(&client).await;
    let (_, expected) = invert(&client, &format!("landmarks={}", parameter(&LANDMARKS)), &face).await;
    for separator in ["+", "%20", ";", "%3B"] {
        let text = separated_by(separator, &LANDMARKS);
        let (status, response) = invert(&client, &format!("landmarks={text}"), &face).await;
        assert_eq!(status, StatusCode::OK, "{text}: {response}");
        assert_eq!(response["target"], expected["target"], "{text}");
    }
}

#[tokio::test]
async fn landmarks_reach_the_service_from_the_form_that_curl_sends() {
    let client = client();
    let face = face_of_seed_7(&client).await;
    let (_, expected) = invert(&client, &format!("landmarks={}", parameter(&LANDMARKS)), &face).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("photo.png");
    std::fs::write(&file, png(&face)).unwrap();
    let address = client.listen().await;
    for points in [parameter(&LANDMARKS), separated_by(" ", &LANDMARKS)] {
        let mut curl = std::process::Command::new("curl");
        curl.args([
            "-sS",
            "--noproxy",
            "*",
            "-F",
            &format!("file=@{}", file.display()),
        ]);
        curl.args([
            "-F",
            &format!("landmarks={points}"),
            "-F",
            "method=encoder",
            "-F",
            "format=json",
        ]);
        curl.arg(format!("http://{address}/v1/invert"));
        let sent = tokio::task::spawn_blocking(move || curl.output()).await.unwrap();
        let Ok(sent) = sent else {
            return; // curl is not installed.
        };
        let response: Value = serde_json::from_slice(&sent.stdout).unwrap();
        assert_eq!(
            response["target"], expected["target"],
            "{points}: {}",
            response["detail"]
        );
    }
}

#[tokio::test]
async fn landmarks_that_do_not_mark_a_face_are_refused_with_the_reason() {
    let client = client();
    let face = face_of_seed_7(&client).await;
    let five = parameter(&LANDMARKS);
    let shifted = |x: f64| parameter(&LANDMARKS.map(|[left, y]| [left + x, y]));
    for (options, says) in [
        (
            "landmarks=".to_owned(),
            "expected 5 or 68 points x,y,x,y,… in pixels",
        ),
        (
            "landmarks=1,2;3".to_owned(),
            "expected 5 or 68 points x,y,x,y,… in pixels",
        ),
        (
            format!("landmarks={}", parameter(&LANDMARKS[..4])),
            "expected 5 or 68 points",
        ),
        (
            format!("landmarks={}", five.replace("110.3", "nan")),
            "expected 5 or 68 points",
        ),
        (
            format!("landmarks={}", shifted(200.0)),
            "inside the image of 256×256 pixels",
        ),
        (
            format!("landmarks={}", parameter(&[[99.0, 99.0]; 5])),
            "expected a face of several pixels",
        ),
        (
            format!("landmarks={five}&crop=0,0,256,256"),
            "found a crop beside it",
        ),
    ] {
        let (status, response) = invert(&client, &options, &face).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{options}");
        let detail = response["detail"].as_str().unwrap();
        assert!(
            detail.contains("landmarks") && detail.contains(says),
            "{options}: {detail}"
        );
    }
}

/// The phantom with a landmark network that treats the dark part of an image as the face.
fn with_landmarks(output: &str) -> Result<Model, faceplane::editor::LoadError> {
    let (folder, root) = (
        tempfile::tempdir().unwrap(),
        Path::new(env!("CARGO_MANIFEST_DIR")),
    );
    for file in ["mapping.onnx", "synthesis.onnx", "encoder.onnx"] {
        std::fs::copy(root.join("onnx/phantom").join(file), folder.path().join(file)).unwrap();
    }
    std::fs::copy(
        root.join("tests/landmarks.onnx"),
        folder.path().join("landmarks.onnx"),
    )
    .unwrap();
    let manifest = format!(
        "name = \"landmarks\"\n[generator]\nmapping = \"mapping.onnx\"\nsynthesis = \"synthesis.onnx\"\n\
         [encoder]\nfile = \"encoder.onnx\"\nspace = \"w\"\n\
         [landmarks]\nfile = \"{output}\"\nimage_range = [0.0, 1.0]\n"
    );
    std::fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
    load(folder.path())
}

#[tokio::test]
async fn a_model_with_a_landmark_network_aligns_without_landmarks_in_the_request() {
    let models = Models::new(vec![with_landmarks("landmarks.onnx").unwrap()], None).unwrap();
    let client = Client::new(models, Duration::from_mins(1));
    let face = face_of_seed_7(&client).await;
    let face = imageops::resize(&face, 128, 128, imageops::FilterType::Lanczos3);
    let (_, one) = invert(&client, "", &paste(&face, 150, 100)).await;
    let (_, other) = invert(&client, "", &paste(&face, 400, 300)).await;
    let levels = difference(&target(&one), &target(&other));
    assert!(levels < 4.0, "{levels} levels");
    assert!(one["face"]["latent"]["space"] == "w");
    let white = RgbImage::from_pixel(64, 64, Rgb([255; 3]));
    let (status, response) = invert(&client, "", &white).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response["type"], "urn:faceplane:problem:no-face");
    assert!(
        response["detail"]
            .as_str()
            .unwrap()
            .contains("the part to use as `crop`"),
        "{response}"
    );
    let (status, _) = invert(&client, "crop=0,0,64,64", &white).await;
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn a_landmark_network_with_another_output_is_refused_at_start() {
    let error = with_landmarks("encoder.onnx").err().unwrap().to_string();
    assert!(
        error.contains("encoder.onnx") && error.contains("[batch, 68, 2]"),
        "{error}"
    );
    let error = with_landmarks("nowhere.onnx").err().unwrap().to_string();
    assert!(error.contains("nowhere.onnx"), "{error}");
}
