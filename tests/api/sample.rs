//! `/v1/sample`.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::engine::{EngineError, Generator, GeneratorShape};
use faceplane::imaging::{FileMetadata, read_metadata};
use faceplane::latent::standard_normal;
use ndarray::{Array4, ArrayView3};
use serde_json::{Value, json};

use crate::support::{Client, DIM, LAYERS, StripeGenerator, numbers};

/// A generator that is not on the CPU.
struct DeviceGenerator(StripeGenerator);

impl Generator for DeviceGenerator {
    fn shape(&self) -> &GeneratorShape {
        self.0.shape()
    }

    fn is_on_cpu(&self) -> bool {
        false
    }

    fn synthesize(&mut self, codes: ArrayView3<'_, f32>) -> Result<Array4<f32>, EngineError> {
        self.0.synthesize(codes)
    }
}

#[tokio::test]
async fn a_device_synthesizes_the_same_pixels_as_the_cpu() {
    for path in ["/v1/sample?seed=7", "/v1/sample?seed=7&count=5&format=json"] {
        let on_cpu = Client::with_generator(StripeGenerator::new()).get(path).await;
        let on_device = Client::with_generator(DeviceGenerator(StripeGenerator::new()))
            .get(path)
            .await;
        assert_eq!(
            (on_cpu.status, on_device.status),
            (StatusCode::OK, StatusCode::OK)
        );
        assert!(on_cpu.body == on_device.body, "{path}: the bodies differ");
    }
}

#[tokio::test]
async fn a_seed_gives_a_png_with_its_headers() {
    let response = Client::sketch().get("/v1/sample?seed=7").await;
    assert_eq!(response.status, StatusCode::OK);
    let (width, height, _) = response.pixels();
    assert_eq!((width, height), (8, 8));
    assert_eq!(response.header("faceplane-model"), Some("sketch"));
    assert_eq!(response.header("faceplane-seed"), Some("7"));
    assert!(response.header("x-request-id").is_some());
}

#[tokio::test]
async fn the_z_code_of_a_seed_is_that_of_numpy() {
    let response = Client::sketch()
        .get("/v1/sample?seed=7&space=z&format=json")
        .await
        .json();
    let code = numbers(&response["faces"][0]["latent"]["values"]);
    #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
    let expected: Vec<f32> = standard_normal(7, DIM)
        .into_iter()
        .map(|value| value as f32)
        .collect();
    #[expect(clippy::cast_possible_truncation, reason = "codes are single precision")]
    let code: Vec<f32> = code.into_iter().map(|value| value as f32).collect();
    assert_eq!(code, expected);
}

#[tokio::test]
async fn without_a_seed_a_random_one_is_chosen_and_returned() {
    let client = Client::sketch();
    let first = client.get("/v1/sample").await;
    let seed = first.header("faceplane-seed").unwrap().to_owned();
    let again = client.get(&format!("/v1/sample?seed={seed}")).await;
    assert_eq!(again.pixels(), first.pixels());
    assert_eq!(first.header("cache-control"), Some("no-store"));
    let other = client.get("/v1/sample").await;
    assert_ne!(other.header("faceplane-seed"), Some(&*seed));
}

#[tokio::test]
async fn several_faces_share_one_image_as_a_grid_or_a_strip() {
    let client = Client::sketch();
    let grid = client.get("/v1/sample?seed=1&count=5").await;
    assert_eq!(grid.header("faceplane-seed"), Some("1, 2, 3, 4, 5"));
    let (width, height, _) = grid.pixels();
    assert_eq!((width, height), (3 * 8, 2 * 8));
    let (width, height, strip) = client
        .get("/v1/sample?seed=1&count=5&layout=strip")
        .await
        .pixels();
    assert_eq!((width, height), (5 * 8, 8));
    let (_, _, third) = client.get("/v1/sample?seed=3").await.pixels();
    assert_eq!(
        strip[2 * 24..3 * 24],
        third[..24],
        "the first row of the third face"
    );
}

#[tokio::test]
async fn a_list_of_seeds_gives_their_faces_in_order() {
    let client = Client::sketch();
    let response = client.get("/v1/sample?seeds=9,3-5,9&format=json").await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.header("faceplane-seed"), Some("9, 3, 4, 5, 9"));
    assert!(response.header("etag").is_some());
    let faces = response.json()["faces"].clone();
    let alone = client.get("/v1/sample?seed=3&format=json").await.json();
    assert_eq!(faces[1]["latent"], alone["faces"][0]["latent"]);
    assert_eq!(faces[0]["latent"], faces[4]["latent"]);
    let posted = json!({"seeds": [9, "3-5", 9], "format": "json"});
    assert_eq!(client.post("/v1/sample", posted).await.json()["faces"], faces);
}

#[tokio::test]
async fn seeds_beside_another_face_or_a_count_are_refused() {
    let client = Client::sketch();
    for (query, says) in [
        ("seeds=1,2&seed=3", "seeds: found a seed beside it"),
        ("seeds=1,2&count=3", "count: found it beside a list of faces"),
        ("seeds=0-100", "seeds: found 101, expected 1 to "),
    ] {
        let refused = client.get(&format!("/v1/sample?{query}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let reason = refused.json()["detail"].to_string();
        assert!(reason.contains(says), "{query}: {reason}");
    }
}

#[tokio::test]
async fn the_code_in_a_response_gives_the_same_face_again() {
    let client = Client::sketch();
    for space in ["z", "w", "w+"] {
        let body = json!({"seed": 3, "space": space, "format": "json"});
        let first = client.post("/v1/sample", body).await.json();
        let latent = &first["faces"][0]["latent"];
        assert_eq!(latent["space"], space);
        let again = client
            .post("/v1/sample", json!({"latent": latent, "format": "json"}))
            .await
            .json();
        assert_eq!(again["faces"][0]["latent"], *latent);
        assert_eq!(again["faces"][0]["scores"], first["faces"][0]["scores"]);
        assert_eq!(again["faces"][0]["seed"], Value::Null);
    }
}

#[tokio::test]
async fn a_png_carries_its_request_and_its_code() {
    let client = Client::sketch();
    let response = client.get("/v1/sample?seed=7&space=w%2B&psi=0.5").await;
    let text = read_metadata(&response.body).recipe.unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(metadata["model"], "sketch");
    assert_eq!(metadata["path"], "/v1/sample");
    let again = client.post("/v1/sample", metadata["request"].clone()).await;
    assert_eq!(
        again.body, response.body,
        "the request in the metadata should give the same file"
    );
    let again = client
        .post("/v1/sample", json!({"latent": metadata["latent"]}))
        .await;
    assert_eq!(
        again.pixels(),
        response.pixels(),
        "the code in the metadata should give the same image"
    );
    let bare = client.get("/v1/sample?seed=7&metadata=none").await;
    assert_eq!(
        read_metadata(&bare.body),
        FileMetadata::mark("trainedAlgorithmicMedia")
    );
}

#[tokio::test]
async fn a_plus_sign_in_a_url_need_not_be_escaped() {
    let response = Client::sketch()
        .get("/v1/sample?seed=7&space=w+&format=json")
        .await
        .json();
    let latent = &response["faces"][0]["latent"];
    assert_eq!(latent["space"], "w+");
    assert_eq!(latent["values"].as_array().unwrap().len(), LAYERS);
}

#[tokio::test]
async fn psi_0_is_the_mean_face_for_every_seed() {
    let client = Client::sketch();
    let first = client.get("/v1/sample?seed=1&psi=0").await.pixels();
    assert_eq!(client.get("/v1/sample?seed=2&psi=0").await.pixels(), first);
    assert_ne!(client.get("/v1/sample?seed=2").await.pixels(), first);
}

#[tokio::test]
async fn json_has_distances_and_scores() {
    let response = Client::sketch()
        .get("/v1/sample?seed=7&space=w&format=json")
        .await
        .json();
    let face = &response["faces"][0];
    let code = numbers(&face["latent"]["values"]);
    let smile = face["distances"]["smile"].as_f64().unwrap();
    let age = face["distances"]["age"].as_f64().unwrap();
    assert!((smile - code[3]).abs() < 1e-6);
    assert!((age - (0.8 * code[2] + 0.6 * code[3] + 0.25)).abs() < 1e-6);
    assert!(face["scores"]["smile"].is_number() && face["scores"]["age"].is_number());
}

#[tokio::test]
async fn several_faces_are_an_animation_in_each_format_that_has_one() {
    let client = Client::sketch();
    let contains = |file: &[u8], part: &[u8]| file.windows(part.len()).filter(|found| *found == part).count();
    for (format, whole, frame) in [
        ("png", &b"acTL"[..], &b"fcTL"[..]),
        ("webp", b"ANIM", b"ANMF"),
        ("gif", b"NETSCAPE2.0", b"\x21\xf9\x04"),
    ] {
        let uri = format!(
            "/v1/edit?seed=7&edit=smile&trajectory=-3:3:5&layout=animation&format={format}&frame_time=40"
        );
        let response = client.get(&uri).await;
        assert_eq!(response.status, StatusCode::OK, "{format}");
        assert_eq!(contains(&response.body, whole), 1, "{format}");
        // A lossy WebP leaves out frames that look like the one before.
        let frames = contains(&response.body, frame);
        assert!(
            frames == 5 || (format == "webp" && frames > 1),
            "{format}: {frames}"
        );
    }
    let strip = client
        .get("/v1/sample?seed=7&count=3&format=gif&layout=strip")
        .await;
    assert_eq!(contains(&strip.body, b"\x21\xf9\x04"), 1, "a sheet has one image");
}

#[tokio::test]
async fn the_format_of_the_image_is_the_one_that_the_client_chose() {
    let client = Client::sketch();
    let starts: [(&str, &str, &[u8]); 4] = [
        ("png", "image/png", b"\x89PNG"),
        ("jpeg", "image/jpeg", b"\xff\xd8\xff"),
        ("webp", "image/webp", b"RIFF"),
        ("gif", "image/gif", b"GIF89a"),
    ];
    for (name, media_type, start) in starts {
        let by_name = client.get(&format!("/v1/sample?seed=7&format={name}")).await;
        assert_eq!(by_name.header("content-type"), Some(media_type));
        assert!(by_name.body.starts_with(start), "{name}");
        let request = Request::get("/v1/sample?seed=7").header("accept", media_type);
        let by_accept = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(by_accept.body, by_name.body);
    }
    let size = async |options: &str| {
        let response = client.get(&format!("/v1/sample?seed=7&count=16&{options}")).await;
        assert_eq!(response.status, StatusCode::OK, "{options}");
        response.body.len()
    };
    assert!(size("compression=small").await < size("compression=fast").await);
    assert!(size("format=jpeg&quality=20").await < size("format=jpeg&quality=95").await);
    for options in [
        "quality=50",
        "format=json&quality=50",
        "format=jpeg&compression=small",
        "format=webp&quality=0",
        "format=webp&quality=101",
        "format=jpeg&quality=-1",
        "format=gif&quality=50",
        "format=jpeg&layout=animation",
        "format=gif&layout=grid&frame_time=50",
        "frame_time=50",
        "layout=animation&frame_time=5",
    ] {
        let response = client.get(&format!("/v1/sample?seed=7&{options}")).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{options}");
    }
}
