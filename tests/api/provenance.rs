//! What image files say about how they were made: the mark of synthetic media, and the recipe.

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faceplane::editor::Models;
use faceplane::imaging::{FileMetadata, read_metadata};
use image::ImageDecoder as _;
use serde_json::{Value, json};

use crate::api::report::{begun, ended};
use crate::model_folders::copied_model;
use crate::support::{Client, load, phantom};

const TRAINED: &str = "trainedAlgorithmicMedia";
const ALGORITHMIC: &str = "algorithmicMedia";
const COMPOSITE: &str = "compositeWithTrainedAlgorithmicMedia";

/// The kind of media that a file says it is.
fn mark(file: &[u8]) -> Option<String> {
    read_metadata(file).digital_source_type
}

/// The responses in each format and layout, as queries of a URL.
fn outputs() -> Vec<String> {
    let mut outputs = Vec::new();
    for format in ["png", "jpeg", "webp", "gif"] {
        outputs.push(format!("seed=7&format={format}"));
        for layout in ["grid", "strip", "animation"] {
            if (format, layout) != ("jpeg", "animation") {
                outputs.push(format!("seed=7&count=3&format={format}&layout={layout}"));
            }
        }
    }
    outputs
}

#[tokio::test]
async fn every_image_in_every_format_says_what_kind_of_media_it_is() {
    let client = Client::sketch();
    for output in outputs() {
        let full = client.get(&format!("/v1/sample?{output}")).await;
        assert_eq!(full.status, StatusCode::OK, "{output}");
        let FileMetadata {
            recipe,
            digital_source_type,
        } = read_metadata(&full.body);
        assert_eq!(digital_source_type.as_deref(), Some(TRAINED), "{output}");
        let recipe: Value = serde_json::from_str(&recipe.expect(&output)).unwrap();
        assert_eq!(recipe["request"]["seed"], 7, "{output}");
        let bare = client.get(&format!("/v1/sample?{output}&metadata=none")).await;
        assert_eq!(read_metadata(&bare.body), FileMetadata::mark(TRAINED), "{output}");
    }
    let json = client.get("/v1/sample?seed=7&count=2&format=json").await.json();
    for face in json["faces"].as_array().unwrap() {
        let file = STANDARD.decode(face["image"].as_str().unwrap()).unwrap();
        assert_eq!(mark(&file).as_deref(), Some(TRAINED));
    }
}

#[tokio::test]
async fn other_readers_of_the_formats_find_the_mark() {
    let client = Client::sketch();
    for format in ["png", "jpeg", "webp", "gif"] {
        let file = client
            .get(&format!("/v1/sample?seed=7&format={format}"))
            .await
            .body;
        let reader = image::ImageReader::new(Cursor::new(&file))
            .with_guessed_format()
            .unwrap();
        let mut decoder = reader.into_decoder().unwrap();
        let packet = decoder.xmp_metadata().unwrap().expect(format);
        let packet = String::from_utf8(packet).unwrap();
        let mark = format!(
            ">http://cv.iptc.org/newscodes/digitalsourcetype/{TRAINED}</Iptc4xmpExt:DigitalSourceType>"
        );
        assert!(packet.contains(&mark), "{format}: {packet}");
        assert!(
            packet.starts_with("<?xpacket begin=") && packet.ends_with("<?xpacket end=\"r\"?>"),
            "{packet}"
        );
    }
}

#[tokio::test]
async fn the_same_request_gives_the_same_bytes() {
    for output in outputs() {
        let uri = format!("/v1/sample?{output}");
        let (first, second) = (Client::sketch().get(&uri).await, Client::sketch().get(&uri).await);
        assert_eq!(first.header("etag"), second.header("etag"), "{output}");
        assert_eq!(first.body, second.body, "{output}");
    }
}

#[tokio::test]
async fn a_file_of_the_service_is_taken_by_its_code_in_every_format() {
    let client = Client::sketch();
    for options in ["space=w", "space=z&psi=0.5", "space=w%2B"] {
        let uri = format!("/v1/sample?seed=7&{options}");
        let sampled = client.get(&format!("{uri}&format=json")).await.json();
        for format in ["png", "jpeg", "webp", "gif"] {
            let file = client.get(&format!("{uri}&format={format}")).await.body;
            let body = json!({"image": STANDARD.encode(&file)});
            // The model has no encoder, so the code can only come from the file.
            let scored = client.post("/v1/score", body).await;
            assert_eq!(scored.status, StatusCode::OK, "{format}: {}", scored.json());
            assert_eq!(
                scored.json()["latent"],
                sampled["faces"][0]["latent"],
                "{format}, {options}"
            );
        }
    }
}

#[tokio::test]
async fn images_that_show_an_uploaded_photograph_are_composites() {
    let client = Client::new(phantom(), Duration::from_mins(2));
    let sampled = client.get("/v1/sample?seed=7").await.body;
    assert_eq!(mark(&sampled).as_deref(), Some(ALGORITHMIC));
    let post = |uri: &'static str, file: Vec<u8>| {
        let request = Request::post(uri).header("content-type", "image/jpeg");
        client.send(request.body(Body::from(file)).unwrap())
    };
    let edited = post("/v1/edit?edit=smile:1", sampled).await;
    assert_eq!(
        mark(&edited.body).as_deref(),
        Some(ALGORITHMIC),
        "a sampled face is no photograph"
    );
    let photograph = client
        .get("/v1/sample?seed=7&metadata=none&format=jpeg")
        .await
        .body;
    let inverted = post("/v1/invert?method=encoder&format=webp", photograph).await;
    assert_eq!(mark(&inverted.body).as_deref(), Some(COMPOSITE));
    let edited = post("/v1/edit?edit=smile:1&format=jpeg", inverted.body).await;
    assert_eq!(
        mark(&edited.body).as_deref(),
        Some(COMPOSITE),
        "the mark stays with the code"
    );
    let again = post("/v1/invert?metadata=none", edited.body).await;
    assert_eq!(read_metadata(&again.body), FileMetadata::mark(COMPOSITE));
}

#[tokio::test]
async fn a_manifest_may_let_requests_leave_out_the_mark() {
    let (_folder, model) = copied_model();
    let manifest = model.join("manifest.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let entry = format!("digital_source_type = \"{ALGORITHMIC}\"");
    let optional = text.replace(&entry, "optional = true");
    assert_ne!(optional, text);
    std::fs::write(&manifest, optional).unwrap();
    let models = Models::new(vec![load(&model).unwrap()], None).unwrap();
    let client = Client::new(models, Duration::from_mins(1));
    let full = client.get("/v1/sample?seed=7").await.body;
    assert_eq!(mark(&full).as_deref(), Some(TRAINED));
    let bare = client.get("/v1/sample?seed=7&metadata=none").await.body;
    assert_eq!(read_metadata(&bare), FileMetadata::default());
}

#[tokio::test]
async fn the_images_of_a_report_are_marked() {
    let client = Client::sketch();
    let location = begun(&client, json!({"space": "w", "samples": 100, "faces": 2})).await;
    let job = ended(&client, &location).await;
    let report = client.get(job["report"].as_str().unwrap()).await.json();
    let strips = report["strips"].as_array().unwrap();
    assert!(!strips.is_empty());
    for image in strips.iter().flat_map(|strip| strip.as_array().unwrap()) {
        let file = STANDARD.decode(image.as_str().unwrap()).unwrap();
        assert_eq!(mark(&file).as_deref(), Some(TRAINED));
    }
}
