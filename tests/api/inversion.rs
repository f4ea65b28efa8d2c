//! `/v1/invert`, on the bundled model.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::imaging::decode;
use serde_json::{Value, json};

use crate::support::{Client, Response, phantom};

fn client() -> Client {
    Client::new(phantom(), std::time::Duration::from_mins(1))
}

async fn face(client: &Client, seed: u32) -> Vec<u8> {
    let response = client.get(&format!("/v1/sample?seed={seed}&metadata=none")).await;
    assert_eq!(response.status, StatusCode::OK);
    response.body
}

async fn send(client: &Client, options: &str, kind: &str, file: impl Into<Body>) -> Response {
    let request = Request::post(format!("/v1/invert?{options}"))
        .header("content-type", kind)
        .header("accept", "application/json");
    client.send(request.body(file.into()).unwrap()).await
}

fn number(response: &Value, pointer: &str) -> f64 {
    response.pointer(pointer).and_then(Value::as_f64).unwrap()
}

#[tokio::test]
async fn more_steps_reproduce_the_image_better_and_the_code_can_be_edited() {
    let client = client();
    let file = face(&client, 7).await;
    let mut last = (f64::INFINITY, 0.0);
    for steps in [1, 12] {
        let options = format!("method=optimize&space=w%2B&steps={steps}");
        let response = send(&client, &options, "image/png", file.clone()).await;
        assert_eq!(response.status, StatusCode::OK, "{}", response.json());
        let response = response.json();
        assert_eq!(response["method"], "optimize");
        assert_eq!(response["face"]["latent"]["space"], "w+");
        assert_eq!(response["optimization"]["steps"], steps);
        let (loss, psnr) = (
            number(&response, "/optimization/loss"),
            number(&response, "/psnr"),
        );
        assert!(
            loss < last.0 && psnr > last.1,
            "{steps} steps: loss {loss}, psnr {psnr}"
        );
        assert!(loss < number(&response, "/optimization/initial_loss"));
        last = (loss, psnr);
        // A sample is shown to the model as it is.
        let target = STANDARD.decode(response["target"].as_str().unwrap()).unwrap();
        let pixels = |file: &[u8]| decode(file, 1 << 20).unwrap().rgb().to_vec();
        assert_eq!(pixels(&target), pixels(&file));
        let edit = json!({"latent": response["face"]["latent"], "edits": [{"attribute": "smile", "by": 2}], "space": "w+"});
        let edited = client.post("/v1/edit", edit).await;
        assert_eq!(edited.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn refine_is_better_than_the_encoder_and_better_with_more_steps() {
    let client = client();
    let file = face(&client, 11).await;
    let encoded = send(&client, "method=encoder", "image/png", file.clone())
        .await
        .json();
    assert_eq!(
        (&encoded["method"], encoded.get("optimization")),
        (&json!("encoder"), None)
    );
    assert_eq!(encoded["face"]["latent"]["space"], "w");
    assert!(number(&encoded, "/psnr") > 20.0, "{}", encoded["psnr"]);
    let mut last = number(&encoded, "/psnr");
    for (steps, gain) in [(1, 2.0), (12, 1.0)] {
        let options = format!("steps={steps}");
        let refined = send(&client, &options, "image/png", file.clone()).await.json();
        assert_eq!(refined["method"], "refine");
        let psnr = number(&refined, "/psnr");
        assert!(psnr > last + gain, "{steps} steps: {psnr} after {last}");
        last = psnr;
    }
}

/// A pixel of the second step lies exactly on the edge of a rounded box, at the root of 0, which has no derivative.
#[tokio::test]
async fn a_pixel_without_a_derivative_breaks_no_inversion() {
    let client = client();
    let sampled = client.get("/v1/sample?seed=34&metadata=none&format=jpeg").await;
    let response = send(&client, "steps=3", "image/jpeg", sampled.body).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.json());
    assert_eq!(response.json()["optimization"]["steps"], 3);
}

#[tokio::test]
async fn an_image_in_json_is_answered_by_a_png_that_contains_its_code() {
    let client = client();
    let image = STANDARD.encode(face(&client, 3).await);
    let crop = json!({"left": 16, "top": 0, "width": 240, "height": 256});
    let body = json!({"image": image, "crop": crop, "method": "optimize", "space": "w", "steps": 1});
    let response = client.post("/v1/invert", body).await;
    let (width, height, _) = response.pixels();
    assert_eq!((width, height), (256, 256));
    let text = faceplane::imaging::read_metadata(&response.body).recipe.unwrap();
    let recipe: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(recipe["latent"]["space"], "w");
    assert_eq!(recipe["request"]["crop"]["width"], 240);
    assert!(
        recipe["request"].get("image").is_none(),
        "the image itself is not repeated"
    );
    let again = client
        .post(
            "/v1/sample",
            json!({"latent": recipe["latent"], "metadata": "none"}),
        )
        .await;
    assert_eq!(again.pixels(), response.pixels());
}

#[tokio::test]
async fn invalid_inversions_are_refused_with_the_reason() {
    let client = client();
    let file = face(&client, 1).await;
    for (options, says) in [
        (
            "method=guess",
            "method: found \"guess\", expected encoder, optimize or refine",
        ),
        ("steps=0", "expected a whole number from 1 to 1000"),
        ("steps=1001", "expected a whole number from 1 to 1000"),
        ("steps=many", "expected a whole number"),
        (
            "patience=0",
            "patience: found \"0\", expected a whole number from 1 to 1000",
        ),
        (
            "starts=9&method=optimize",
            "starts: found \"9\", expected a whole number from 1 to 8",
        ),
        ("starts=2", "without method optimize"),
        ("seconds=0", "above 0"),
        ("seconds=-1", "above 0"),
        ("seconds=inf", "above 0"),
        ("crop=0,0,1000,1000", "inside the image of 256×256"),
        ("crop=0,0,0,10", "expected left,top,width,height"),
        ("crop=1,2,3", "expected left,top,width,height"),
        ("space=z&method=optimize", "cannot become a z code"),
        ("beard=1", "beard: unknown field"),
    ] {
        let response = send(&client, options, "image/png", file.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{options}");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(says),
            "{options} should say {says:?}, says: {detail}"
        );
    }
    for (body, says) in [
        (json!({}), "missing"),
        (json!({"image": "?"}), "not base64"),
        (json!({"image": ""}), "no image"),
        (json!({"image": STANDARD.encode("text")}), "no image"),
        (
            json!({"image": 7}),
            "image: found 7, expected an image file in base64",
        ),
    ] {
        let response = client.post("/v1/invert", body.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(says),
            "{body} should say {says:?}, says: {detail}"
        );
    }
    let response = send(&client, "", "text/html", "<p>").await;
    assert_eq!(response.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let response = send(&client, "", "image/png", vec![0; 30 << 20]).await;
    assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_model_without_the_graphs_is_an_error_that_says_what_to_add() {
    let client = Client::sketch();
    let file = face(&client, 1).await;
    for (options, says) in [
        ("", "an [encoder] and a [gradient]"),
        ("method=refine", "by refine"),
    ] {
        let response = send(&client, options, "image/png", file.clone()).await;
        assert_eq!(response.json()["type"], "urn:faceplane:problem:cannot-invert");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{detail}");
    }
}

/// A PNG of one colour.
fn flat(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels = vec![0; (width * height) as usize];
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file
}

#[tokio::test]
async fn a_reconstruction_that_resembles_the_image_little_is_named_in_every_response() {
    let client = client();
    let resembles = "the reconstruction resembles the image little";
    let face = face(&client, 7).await;
    let matched = send(&client, "method=encoder", "image/png", face).await;
    assert_eq!(matched.json()["warnings"], json!([]));
    assert_eq!(matched.header("faceplane-warnings"), None);
    for uri in ["/v1/invert?method=encoder", "/v1/edit?edit=smile:0", "/v1/score"] {
        for accept in ["application/json", "*/*"] {
            let request = Request::post(uri).header("content-type", "image/png");
            let request = request.header("accept", accept).body(flat(64, 64).into());
            let response = client.send(request.unwrap()).await;
            let warning = response.header("faceplane-warnings").unwrap_or_default();
            let warnings: Value = serde_json::from_str(&format!("[{warning}]")).unwrap();
            assert!(
                warnings[0].as_str().unwrap().starts_with(resembles),
                "{uri}: {warning}"
            );
            if accept == "application/json" {
                assert_eq!(response.json()["warnings"], warnings);
            }
        }
    }
}

#[tokio::test]
async fn an_image_of_too_few_pixels_is_refused_before_the_search() {
    let client = client();
    let face = face(&client, 7).await;
    for (options, file, found) in [
        ("", flat(1, 1), "1×1"),
        ("", flat(4000, 3), "3×3"),
        ("crop=0,0,40,15", face, "40×15"),
    ] {
        let response = send(&client, options, "image/png", file).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = response.json();
        assert_eq!(problem["type"], "urn:faceplane:problem:image-too-small");
        let detail = problem["detail"].as_str().unwrap();
        let expected = format!("found {found} pixels to invert, expected at least 16×16");
        assert!(detail.starts_with(&expected), "{detail}");
    }
}
