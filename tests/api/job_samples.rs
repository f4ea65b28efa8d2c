//! The samples of a training: downloaded, fitted again, and dropped when later jobs need the memory.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use faceplane::catalog::{NpyArray, ScoredSamples};
use faceplane::editor::LabelledCodes;
use faceplane::latent::{BoundaryFit, CodeSampler, FitMethod, LatentSpace, SampleSelection, SharedCodes};
use serde_json::{Value, json};

use crate::api::training::{PATH, codes, end, file, run};
use crate::support::{Client, numbers};

const SAMPLES: &str = "/v1/jobs/1/samples";

async fn npy(client: &Client, boundary: &str) -> Vec<u8> {
    let response = client.get(&format!("{PATH}/{boundary}?format=npy")).await;
    assert_eq!(response.status, StatusCode::OK, "{boundary}");
    response.body
}

#[tokio::test]
async fn the_samples_of_a_training_are_a_file_of_codes_and_scores() {
    let client = Client::sketch();
    let body = json!({"attributes": ["smile"], "space": "z", "samples": 90, "seed": 5});
    let job = run(&client, PATH, body).await;
    assert_eq!(job["samples_file"], SAMPLES, "{job}");
    let response = client.get(SAMPLES).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.header("content-type"), Some("application/octet-stream"));
    assert_eq!(
        response.header("content-disposition"),
        Some("attachment; filename=\"sketch-job-1.npz\"")
    );
    let samples = ScoredSamples::read(&response.body).unwrap();
    assert_eq!(samples.attributes, ["smile", "age"]);
    assert_eq!((samples.seed, samples.space), (5, LatentSpace::Z));
    let expected = CodeSampler::new(5, 4, false).sample(90);
    assert_eq!(samples.codes.shape(), [90, 1, 4]);
    assert!(samples.codes.iter().eq(expected.iter()));
    // The sketch scores smile by the mean of tanh over the code's numbers.
    for (code, scores) in samples.codes.outer_iter().zip(samples.scores.outer_iter()) {
        let mean = code.iter().map(|value| value.tanh()).sum::<f32>() / 4.0;
        assert!((scores[0] - mean).abs() < 0.02, "{scores}, expected {mean}");
    }
    let etag = response.header("etag").unwrap().to_owned();
    let again = Request::get(SAMPLES).header(header::IF_NONE_MATCH, etag);
    let again = client.send(again.body(Body::empty()).unwrap()).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
}

#[tokio::test]
async fn a_fit_to_the_samples_of_a_job_equals_a_fit_to_new_samples_to_the_bit() {
    let client = Client::sketch();
    let first = json!({"attributes": ["smile"], "space": "w", "samples": 400, "seed": 5, "ratio": 0.2, "method": "svm"});
    run(&client, PATH, first).await;
    let smile = npy(&client, "smile/w").await;
    let again = json!({"attributes": ["smile"], "names": ["again"], "samples": null, "samples_from": "1", "ratio": 0.2, "method": "svm"});
    let job = run(&client, PATH, again).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!((&job["space"], &job["samples"]), (&json!("w"), &json!(400)));
    assert_eq!(npy(&client, "again/w").await, smile);
    let intercept = |boundary: Value| (boundary["intercept"].clone(), boundary["seed"].clone());
    assert_eq!(
        intercept(client.get(&format!("{PATH}/again/w")).await.json()),
        intercept(client.get(&format!("{PATH}/smile/w")).await.json())
    );
    // Other settings, and an attribute that the first job was not asked for.
    let settings = |name: &str| {
        json!({
            "attributes": ["smile", "age"], "names": [format!("{name}-smile"), format!("{name}-age")],
            "method": "least-squares", "space": "w",
        })
    };
    let mut refit = settings("refit");
    refit["samples_from"] = json!("1");
    let mut anew = settings("anew");
    (anew["samples"], anew["seed"]) = (json!(400), json!(5));
    for body in [refit, anew] {
        let job = run(&client, PATH, body).await;
        assert_eq!(job["status"], "done", "{job}");
    }
    for attribute in ["smile", "age"] {
        let (refit, anew) = (format!("refit-{attribute}/w"), format!("anew-{attribute}/w"));
        assert_eq!(npy(&client, &refit).await, npy(&client, &anew).await);
    }
    // The downloaded file gives the same boundary without the service.
    let samples = ScoredSamples::read(&client.get(SAMPLES).await.body).unwrap();
    let scores = samples.scores.column(0);
    let labelled = LabelledCodes {
        codes: samples.codes.clone(),
        scores: scores.iter().copied().map(f64::from).collect(),
    };
    let fit = BoundaryFit {
        method: FitMethod::Svm,
        selection: SampleSelection::Ratio(0.2),
        seed: samples.seed,
        threshold: Some(samples.thresholds[0]),
        ..BoundaryFit::default()
    };
    let found = labelled
        .separate("smile", samples.space, &fit, &SharedCodes::default(), |_| ())
        .unwrap();
    assert_eq!(NpyArray::of_normal(&found).write_f8(), smile);
}

#[tokio::test]
async fn a_job_without_samples_says_why() {
    let client = Client::sketch();
    let (values, scores) = codes();
    let labelled = json!({
        "attributes": ["beard"], "space": "z",
        "codes": file(vec![200, 4], values), "scores": file(vec![200], scores),
    });
    run(&client, PATH, labelled).await;
    run(
        &client,
        "/v1/models/sketch/report",
        json!({"samples": 50, "faces": 1}),
    )
    .await;
    let long = json!({"attributes": ["smile"], "space": "w", "samples": 900_000});
    client.post(PATH, long).await;
    let ask = async |id: &str, status: u16, kind: &str, says: &str| {
        let download = client.get(&format!("/v1/jobs/{id}/samples")).await;
        let refit = json!({"attributes": ["smile"], "samples_from": id});
        for response in [download, client.post(PATH, refit).await] {
            let problem = response.json();
            assert_eq!(response.status, status, "{problem}");
            assert_eq!(problem["type"], format!("urn:faceplane:problem:{kind}"));
            assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        }
    };
    ask("1", 404, "no-samples", "was given codes and scores").await;
    ask("2", 404, "no-samples", "makes a report").await;
    ask("3", 409, "samples-pending", "still sampling").await;
    ask("9", 404, "unknown-job", "\"9\"").await;
    let cancelled = Request::delete("/v1/jobs/3").body(Body::empty()).unwrap();
    client.send(cancelled).await;
    end(&client, "/v1/jobs/3").await;
    ask("3", 404, "no-samples", "was cancelled").await;
}

#[tokio::test]
async fn samples_are_dropped_when_a_later_job_needs_the_memory() {
    // Enough for one job, and little more.
    let fit = BoundaryFit::default();
    let job = fit.memory(4, 400) + 400 * (6 * size_of::<f32>() + BoundaryFit::MEMORY_PER_SAMPLE);
    let client = Client::with_memory(2 * (job + 1000));
    let training =
        |name: &str| json!({"attributes": ["smile"], "names": [name], "space": "w", "samples": 400});
    run(&client, PATH, training("a")).await;
    assert_eq!(client.get(SAMPLES).await.status, StatusCode::OK);
    let second = run(&client, PATH, training("b")).await;
    assert_eq!(second["status"], "done", "{second}");
    for response in [
        client.get(SAMPLES).await,
        client
            .post(PATH, json!({"attributes": ["smile"], "samples_from": "1"}))
            .await,
    ] {
        assert_eq!(response.status, StatusCode::GONE, "{}", response.json());
        assert_eq!(response.json()["type"], "urn:faceplane:problem:samples-dropped");
    }
    assert!(client.get("/v1/jobs/1").await.json()["samples_file"].is_null());
    assert_eq!(client.get("/v1/jobs/2/samples").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_fit_to_kept_samples_does_not_drop_them_for_its_memory() {
    // Enough for the first job, but not with the samples of two.
    let fit = BoundaryFit::default();
    let job = fit.memory(4, 400) + 400 * (6 * size_of::<f32>() + BoundaryFit::MEMORY_PER_SAMPLE);
    let client = Client::with_memory(2 * (job + 1000));
    for (name, samples) in [("a", 400), ("b", 100)] {
        let training = json!({"attributes": ["smile"], "names": [name], "space": "w", "samples": samples});
        run(&client, PATH, training).await;
    }
    let again = json!({"attributes": ["smile"], "names": ["c"], "samples_from": "1"});
    assert_eq!(run(&client, PATH, again).await["status"], "done");
    assert_eq!(client.get(SAMPLES).await.status, StatusCode::OK);
    assert_eq!(client.get("/v1/jobs/2/samples").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn fields_that_contradict_the_samples_of_a_job_are_refused() {
    let client = Client::sketch();
    run(
        &client,
        PATH,
        json!({"attributes": ["smile"], "space": "w", "samples": 60}),
    )
    .await;
    for (field, value, says) in [
        ("samples", json!(10), "samples: found samples_from"),
        ("codes", json!("AAAA"), "codes: found samples_from"),
        ("space", json!("z"), "space: found z, expected w"),
        ("names", json!(["a", "b"]), "names: found"),
        ("names", json!(["a:b"]), "a:b"),
        ("attributes", json!(["beard"]), "beard"),
    ] {
        let mut body = json!({"attributes": ["smile"], "samples_from": "1"});
        body[field] = value;
        let response = client.post(PATH, body).await;
        let problem = response.json();
        assert!(response.status.is_client_error(), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn a_boundary_gets_the_name_that_the_training_says() {
    let client = Client::sketch();
    let original = client.get(&format!("{PATH}/smile/w")).await.json();
    let body = json!({"attributes": ["smile"], "names": ["my smile"], "space": "w", "samples": 200});
    let job = run(&client, PATH, body).await;
    assert_eq!(
        (&job["status"], &job["attributes"]),
        (&json!("done"), &json!(["my smile"]))
    );
    assert_eq!(job["boundaries"][0]["origin"], "addition");
    let found = client.get(&format!("{PATH}/my%20smile/w")).await.json();
    assert!(numbers(&found["normal"]).iter().sum::<f64>() > 1.9, "{found}");
    assert_eq!(client.get(&format!("{PATH}/smile/w")).await.json(), original);
}

#[tokio::test]
async fn a_training_keeps_the_better_boundary_and_says_why() {
    let client = Client::sketch();
    let smile = format!("{PATH}/smile/w");
    let train = |samples: usize, seed: u32| json!({"attributes": ["smile"], "space": "w", "samples": samples, "seed": seed, "keep": "better"});
    // The sketch's own boundary looks at one number of the code, its classifier at all.
    let job = run(&client, PATH, train(500, 1)).await;
    let comparison = &job["comparisons"][0];
    assert_eq!(
        (&comparison["kept"], &comparison["samples"]),
        (&json!("new"), &json!(100))
    );
    assert_eq!(comparison["reason"], "the new one is clearly better");
    let (new, current) = (comparison["new"].as_f64(), comparison["current"].as_f64());
    assert!(new > current && new > Some(0.95), "{comparison}");
    assert_eq!(job["boundaries"][0]["samples"], 400);
    let kept = client.get(&smile).await.json();
    // Few of the samples give a worse one.
    let mut few = train(400, 2);
    (few["method"], few["chosen"]) = (json!("svm"), json!(3));
    let job = run(&client, PATH, few).await;
    let comparison = &job["comparisons"][0];
    assert_eq!(comparison["kept"], "current", "{comparison}");
    assert_eq!((&job["status"], &job["boundaries"]), (&json!("done"), &json!([])));
    assert_eq!(client.get(&smile).await.json(), kept);
    // Samples that the current one was fitted to judge nothing.
    let job = run(&client, PATH, train(300, 1)).await;
    let reason = job["comparisons"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("choose another seed"), "{reason}");
    assert_eq!(client.get(&smile).await.json(), kept);
    let mut first = train(100, 3);
    first["names"] = json!(["grimace"]);
    let job = run(&client, PATH, first).await;
    assert_eq!(job["comparisons"][0]["reason"], "the model had none");
}

#[tokio::test]
async fn the_better_boundary_is_found_by_given_codes_in_any_order() {
    let client = Client::sketch();
    let (values, scores) = codes();
    let mut rows: Vec<(Vec<f64>, f64)> = values.chunks(4).map(<[f64]>::to_vec).zip(scores).collect();
    rows.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (values, scores): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let normal = json!({"normal": [1, 0, 0, 0]});
    let uri = format!("{PATH}/beard/z");
    crate::api::boundaries::put(&client, &uri, normal).await;
    let body = json!({
        "attributes": ["beard"], "space": "z", "keep": "better",
        "codes": file(vec![200, 4], values.concat()), "scores": file(vec![200], scores),
    });
    let job = run(&client, PATH, body).await;
    let comparison = &job["comparisons"][0];
    assert_eq!(
        (&comparison["kept"], &comparison["samples"]),
        (&json!("new"), &json!(40))
    );
    let close = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 0.15;
    assert!(
        close(&comparison["new"], 1.0) && close(&comparison["current"], 0.7),
        "{comparison}"
    );
}
