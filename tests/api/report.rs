//! Reports on boundaries: their figures computed a second time, their page, and jobs without a report.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use faceplane::latent::CodeSampler;
use serde_json::{Value, json};
use std::time::Duration;

use crate::api::boundaries::{put, with_store};
use crate::linear_generator::LinearGenerator;
use crate::support::{Client, Response, numbers};

const PATH: &str = "/v1/models/sketch/report";
const COUNT: usize = 100;

pub(crate) async fn ended(client: &Client, location: &str) -> Value {
    loop {
        let job = client.get(location).await.json();
        if ["done", "failed", "cancelled"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn begun(client: &Client, body: Value) -> String {
    let response = client.post(PATH, body).await;
    assert_eq!(response.status, StatusCode::ACCEPTED, "{}", response.json());
    response.header("location").unwrap().to_owned()
}

pub(super) async fn get(client: &Client, location: &str, accept: &str) -> Response {
    let request = Request::get(location).header("accept", accept);
    client.send(request.body(Body::empty()).unwrap()).await
}

/// The sketch's w codes of seed 3: z codes in reverse order.
fn codes() -> Vec<[f64; 4]> {
    let z = CodeSampler::new(3, 4, false).sample(COUNT);
    let code = |row: ndarray::ArrayView1<'_, f32>| [3, 2, 1, 0].map(|index| f64::from(row[index]));
    z.outer_iter().map(code).collect()
}

/// The score of a code by both of the sketch's classifiers.
fn score(code: &[f64; 4]) -> f64 {
    code.iter().map(|value| value.tanh()).sum::<f64>() / 4.0
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

fn near(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
}

#[tokio::test]
async fn a_reports_figures_are_those_computed_from_codes_and_scores() {
    let client = Client::sketch();
    let location = begun(
        &client,
        json!({"space": "w", "samples": COUNT, "faces": 10, "seed": 3}),
    )
    .await;
    let job = ended(&client, &location).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["samples"], job["samples_done"]);
    let report = client.get(job["report"].as_str().unwrap()).await.json();

    let (codes, smile) = (codes(), [0.0, 0.0, 0.0, 1.0]);
    let scores: Vec<f64> = codes.iter().map(score).collect();
    let side = |code: &[f64; 4]| {
        code.iter()
            .zip(smile)
            .map(|(value, normal)| value * normal)
            .sum::<f64>()
            > 0.0
    };
    let right = |sample: usize| f64::from(u8::from(side(&codes[sample]) == (scores[sample] > 0.0)));
    near(&report["boundaries"][0]["accuracy"], mean((0..COUNT).map(right)));
    let mut order: Vec<usize> = (0..COUNT).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let ends = [order[0], order[1]].map(|low| !side(&codes[low])).into_iter();
    let ends = ends.chain([order[98], order[99]].map(|high| side(&codes[high])));
    near(
        &report["boundaries"][0]["accuracy_at_ends"],
        mean(ends.map(|right| f64::from(u8::from(right)))),
    );
    assert_eq!(report["boundaries"][0]["samples_per_end"], 2);
    let average = mean(scores.iter().copied());
    let deviation = mean(scores.iter().map(|score| (score - average).powi(2))).sqrt();
    near(&report["boundaries"][0]["standard_deviation"], deviation);

    // Smile and age are one score here, and the normals of their boundaries have a cosine of 0.6.
    near(&report["correlations"][0][1], 1.0);
    near(&report["cosines"][0][1], 0.6);
    assert_eq!(
        numbers(&report["distances"]),
        [-10.0, -8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    );
    let brought = |code: &[f64; 4]| score(&[code[0], code[1], code[2], -4.0]);
    near(&report["curves"][0][3][1], mean(codes[..10].iter().map(brought)));
    let before = mean(scores[..10].iter().copied());
    let plain = |code: &[f64; 4]| score(&[code[0], code[1], code[2], code[3] + 3.0]);
    let change = (mean(codes[..10].iter().map(plain)) - before) / deviation;
    near(&report["plain"][0][0], change);
    // (0, 0, 0, 1) without what it shares with (0, 0, 0.8, 0.6) is (0, 0, −0.6, 0.8).
    let held = |code: &[f64; 4]| score(&[code[0], code[1], code[2] - 1.8, code[3] + 2.4]);
    let change = (mean(codes[..10].iter().map(held)) - before) / deviation;
    near(&report["conditional"][0][1], change);
    assert_eq!(report["strips"][1].as_array().unwrap().len(), 7);
    // No classifier scores grin, which is smile's boundary.
    assert_eq!(report["directions"][0]["attribute"], "grin");
    near(
        &report["directions"][0]["changes"][0],
        report["plain"][0][0].as_f64().unwrap(),
    );
}

#[tokio::test]
async fn the_dependency_of_a_linear_generator_is_the_cosine_of_its_boundaries() {
    let client = Client::with_generator(LinearGenerator::new());
    let location = begun(
        &client,
        json!({"space": "w", "samples": 400, "faces": 6, "compare": 6, "seed": 3}),
    )
    .await;
    assert_eq!(ended(&client, &location).await["status"], "done");
    let report = client.get(&format!("{location}/report")).await.json();
    assert_eq!(report["levels"], json!([0.5, 1.0, 1.5, 2.0]));
    assert_eq!(report["identity_by"], Value::Null, "the sketch has neither graph");
    let deviation = |index: usize| {
        report["boundaries"][index]["standard_deviation"]
            .as_f64()
            .unwrap()
    };
    let methods = report["methods"].as_array().unwrap();
    let effects = |name: &str| {
        let method = methods.iter().find(|method| method["method"] == name);
        method.unwrap_or_else(|| panic!("there is no {name}: {methods:?}"))["effects"].clone()
    };
    let (plain, held) = (effects("plane in w"), effects("plane in w, others held"));
    for (edited, other) in [(0, 1), (1, 0)] {
        // The normals have a cosine of 0.6, so that a move by d changes one score by 0.1 d and the other by 0.06 d.
        let ratio = 0.6 * deviation(edited) / deviation(other);
        for (level, change) in [0.5, 1.0, 1.5, 2.0].into_iter().enumerate() {
            let found = &plain[edited]["by_score"][level];
            assert_eq!(found["reached"], 6, "{found}");
            near(&found["dependency"], change * ratio);
            near(&found["changes"][edited], change);
            near(&found["changes"][other], change * ratio);
            near(&held[edited]["by_score"][level]["dependency"], 0.0);
        }
        assert!(plain[edited]["seconds"].as_f64().unwrap() > 0.0);
    }
    // Smile is the last value of w, and the samples vary alike in all directions: no principal component is smile alone.
    assert!(
        effects("PCA in w")[0]["along"]
            .as_str()
            .unwrap()
            .starts_with("pca-")
    );
    // A search ends near its target, and holds the other score.
    let searched = &effects("target score in w, others held")[0]["by_score"][1];
    near(&searched["changes"][0], 1.0);
    assert!(searched["dependency"].as_f64().unwrap() < 0.1 * 0.6, "{searched}");
}

#[tokio::test]
async fn dependent_boundaries_are_compared_without_what_they_leave_nothing_of() {
    let client = Client::with_generator(LinearGenerator::new());
    let smile = json!({"normal": [0.0, 0.0, 0.0, 1.0]});
    let response = put(&client, "/v1/models/sketch/boundaries/age/w", smile).await;
    assert!(response.status.is_success(), "{}", response.json());
    let body = json!({"space": "w", "samples": 50, "faces": 1, "compare": 1});
    let location = begun(&client, body).await;
    assert_eq!(ended(&client, &location).await["status"], "done");
    let report = client.get(&format!("{location}/report")).await.json();
    let methods = report["methods"].as_array().unwrap();
    assert!(
        methods.iter().any(|method| method["method"] == "plane in w"),
        "{methods:?}"
    );
    let held = methods
        .iter()
        .filter_map(|method| method["method"].as_str())
        .find(|name| name.ends_with("in w, others held"));
    assert_eq!(held, None, "the two boundaries are one");
}

#[tokio::test]
async fn a_reports_page_loads_nothing_from_elsewhere() {
    let client = Client::sketch();
    let location = begun(&client, json!({"samples": 50, "faces": 2, "compare": 2})).await;
    ended(&client, &location).await;
    let response = get(
        &client,
        &format!("{location}/report"),
        "text/html,application/xhtml+xml,*/*;q=0.8",
    )
    .await;
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let page = String::from_utf8(response.body).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for outside in ["http:", "https:", "<script", "<link", "url(", "@import"] {
        assert!(!page.contains(outside), "the page loads {outside}");
    }
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 21);
    assert_eq!(page.matches("<svg").count(), 3);
    for text in [
        "smile",
        "age",
        "grin",
        "+1.00",
        "no identity graph",
        "plane in w, others held",
        "PCA in w",
        "target score in w, others held",
    ] {
        assert!(page.contains(text), "the page lacks {text}");
    }
}

#[tokio::test]
async fn a_cancelled_report_and_a_training_have_no_report() {
    let client = Client::sketch();
    let location = begun(&client, json!({"samples": 100_000})).await;
    let early = client.get(&format!("{location}/report")).await;
    assert_eq!(early.status, StatusCode::NOT_FOUND);
    assert!(early.json()["detail"].as_str().unwrap().contains("has not ended"));
    let request = Request::builder().method(Method::DELETE).uri(&location);
    let cancelled = client.send(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    let none = client.get(&format!("{location}/report")).await.json();
    assert_eq!(none["type"], "urn:faceplane:problem:no-report");
    assert!(
        none["detail"].as_str().unwrap().contains("was cancelled"),
        "{none}"
    );
    let training = json!({"attributes": ["smile"], "samples": 100, "ratio": 0.2});
    let response = client.post("/v1/models/sketch/boundaries", training).await;
    let location = response.header("location").unwrap().to_owned();
    assert_eq!(ended(&client, &location).await["status"], "done");
    let none = client.get(&format!("{location}/report")).await.json();
    assert!(
        none["detail"].as_str().unwrap().contains("made boundaries"),
        "{none}"
    );
}

#[tokio::test]
async fn invalid_reports_are_refused_before_a_job_begins() {
    let client = Client::sketch();
    for (body, says) in [
        (
            json!({"samples": 49}),
            "samples: found 49, expected a whole number from 50 to 100000",
        ),
        (json!({"samples": 100_001}), "from 50 to 100000"),
        (
            json!({"faces": 0}),
            "faces: found 0, expected a whole number from 1 to 1000",
        ),
        (
            json!({"samples": 60, "faces": 61}),
            "faces: found 61, expected at most the 60 samples",
        ),
        (
            json!({"space": "w+"}),
            "found the space w+ for a report on model sketch, expected one of z, w",
        ),
        (json!({"attributes": ["smile"]}), "attributes: unknown field"),
    ] {
        let response = client.post(PATH, body.clone()).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{body}: {detail}");
    }
    let response = client.post("/v1/models/nobody/report", json!({})).await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
    assert!(
        client.get("/v1/jobs").await.json()["jobs"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_space_without_boundaries_has_nothing_to_report() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sketch")).unwrap();
    for attribute in ["smile", "age"] {
        let hidden = json!({"removed": {"attribute": attribute, "space": "z"}});
        let file = folder.path().join(format!("sketch/{attribute}_z.json"));
        std::fs::write(file, hidden.to_string()).unwrap();
    }
    let client = with_store(folder.path());
    let response = client.post(PATH, json!({"space": "z"})).await;
    assert_eq!(response.json()["type"], "urn:faceplane:problem:nothing-to-report");
}

#[tokio::test]
async fn methods_are_compared_although_the_reports_space_has_no_boundaries() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sketch")).unwrap();
    let all = [
        ("smile", "z"),
        ("smile", "w"),
        ("age", "z"),
        ("age", "w"),
        ("grin", "w"),
    ];
    for (attribute, space) in all {
        let hidden = json!({"removed": {"attribute": attribute, "space": space}});
        let file = folder.path().join(format!("sketch/{attribute}_{space}.json"));
        std::fs::write(file, hidden.to_string()).unwrap();
    }
    let client = with_store(folder.path());
    let boundaries = client.get("/v1/models/sketch/boundaries").await.json();
    assert_eq!(boundaries["boundaries"], json!([]));
    let normal = json!({"normal": vec![[0.0, 0.0, 0.0, 1.0]; 3]});
    let added = put(&client, "/v1/models/sketch/boundaries/smile/w+", normal).await;
    assert!(added.status.is_success(), "{}", added.json());
    let response = client.post(PATH, json!({})).await;
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("no boundary in w") && detail.contains("`compare`"),
        "{detail}"
    );

    let location = begun(&client, json!({"samples": 50, "faces": 2, "compare": 2})).await;
    let job = ended(&client, &location).await;
    assert_eq!(job["status"], "done", "{job}");
    let report = client.get(&format!("{location}/report")).await.json();
    assert_eq!(
        (&report["space"], &report["boundaries"]),
        (&json!("w"), &json!([]))
    );
    let methods = report["methods"].as_array().unwrap();
    let has = |name: &str| methods.iter().any(|method| method["method"] == name);
    assert!(has("plane in w+") && has("PCA in w"), "{methods:?}");
    let page = get(&client, &format!("{location}/report"), "text/html").await;
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("plane in w+") && !page.contains("NaN"), "{page}");
}
