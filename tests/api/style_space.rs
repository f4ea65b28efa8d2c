//! Style space: codes, boundaries and edits in s, and the ranking of style channels.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::boundaries::{delete, put};
use crate::api::report::{begun, ended};
use crate::api::training::run;
use crate::styled_generator::StyledGenerator;
use crate::support::{Client, numbers};

const PATH: &str = "/v1/models/sketch/boundaries";

fn client() -> Client {
    Client::with_generator(StyledGenerator::new())
}

/// The scores of smile and age in a response's face.
fn scores_of(face: &Value) -> (f64, f64) {
    let score = |attribute: &str| face["scores"][attribute].as_f64().unwrap();
    (score("smile"), score("age"))
}

#[tokio::test]
async fn a_code_in_s_draws_what_its_code_in_w_plus_draws() {
    let client = client();
    let face = async |space: &str| {
        let sampled = client
            .get(&format!(
                "/v1/sample?seed=3&space={space}&format=json&metadata=none"
            ))
            .await
            .json();
        sampled["faces"][0].clone()
    };
    let (layered, styles) = (face("w%2B").await, face("s").await);
    assert_eq!(styles["latent"]["space"], "s");
    assert_eq!(numbers(&styles["latent"]["values"]).len(), 6);
    assert_eq!(styles["image"], layered["image"]);
    let again = json!({"latent": styles["latent"], "format": "json", "metadata": "none"});
    let again = client.post("/v1/sample", again).await.json();
    assert_eq!(again["faces"][0]["image"], styles["image"]);
    let text: Vec<_> = numbers(&styles["latent"]["values"])
        .iter()
        .map(f64::to_string)
        .collect();
    let by_url = client
        .get(&format!("/v1/sample?latent=s:{}", text.join(",")))
        .await;
    assert_eq!(by_url.status, StatusCode::OK);
}

#[tokio::test]
async fn nothing_leads_back_from_s() {
    let response = client()
        .post(
            "/v1/sample",
            json!({"latent": {"space": "s", "values": [0, 0, 0, 0, 0, 0]}, "space": "w+"}),
        )
        .await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("z → w → w+ → s only"), "{detail}");
}

#[tokio::test]
async fn a_generator_without_styles_refuses_s_and_says_why() {
    let client = Client::sketch();
    for (path, body) in [
        ("/v1/sample", json!({"seed": 1, "space": "s"})),
        (
            "/v1/edit",
            json!({"seed": 1, "space": "s", "edits": [{"attribute": "smile", "by": 1}]}),
        ),
        (PATH, json!({"attributes": ["smile"], "space": "s"})),
    ] {
        let response = client.post(path, body).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let problem = response.json();
        assert!(
            problem["type"].as_str().unwrap().ends_with("no-such-space"),
            "{problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("has no s codes: this generator has none"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_training_in_s_finds_the_channel_that_moves_one_attribute_alone() {
    let client = client();
    let body = json!({"attributes": ["smile"], "space": "s", "channels": 1, "seed": 5});
    let job = run(&client, PATH, body).await;
    assert_eq!(job["status"], "done", "{job}");
    // 200 faces, and 16 for each of 6 channels.
    assert_eq!(
        (&job["samples"], &job["samples_done"]),
        (&json!(296), &json!(296))
    );
    let best = &job["boundaries"][0]["channels"][0];
    let (layer, channel) = StyledGenerator::PLANTED;
    assert_eq!(
        (&best["layer"], &best["channel"]),
        (&json!(layer), &json!(channel)),
        "{best}"
    );
    let effects = best["effects"].as_array().unwrap();
    assert_eq!(effects[0]["attribute"], "smile");
    assert!(effects[0]["change"].as_f64().unwrap() > 0.1, "{best}");
    assert_eq!(
        (&effects[1]["attribute"], effects[1]["change"].as_f64().unwrap()),
        (&json!("age"), 0.0)
    );

    // The channel of layer 0 moves smile more, but age too.
    let found = client.get(&format!("{PATH}/smile/s")).await.json();
    let normal = numbers(&found["normal"]);
    assert_eq!(normal, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(
        (&found["method"], &found["samples"]),
        (&json!("style channels"), &json!(296))
    );

    let edited = client
        .post(
            "/v1/edit",
            json!({"seed": 7, "space": "s", "format": "json", "edits": [{"attribute": "smile", "by": 3}]}),
        )
        .await
        .json();
    let (before, after) = (&edited["before"], &edited["faces"][0]);
    let moved: Vec<f64> = numbers(&after["latent"]["values"])
        .iter()
        .zip(numbers(&before["latent"]["values"]))
        .map(|(after, before)| after - before)
        .collect();
    assert!(
        (moved[4] - 3.0).abs() < 1e-5 && moved.iter().filter(|&&by| by != 0.0).count() == 1,
        "{moved:?}"
    );
    let (before, after) = (scores_of(before), scores_of(after));
    assert!(
        after.0 > before.0 + 0.1 && (after.1 - before.1).abs() < 1e-6,
        "{before:?} {after:?}"
    );
}

#[tokio::test]
async fn conditions_score_targets_deviations_and_series_work_in_s() {
    let client = client();
    let body = json!({"attributes": ["smile", "age"], "space": "s", "channels": 3, "samples": 1000});
    let job = run(&client, PATH, body).await;
    assert_eq!(job["status"], "done", "{job}");
    let edit = async |edit: Value, more: Value| {
        let mut body = json!({"seed": 7, "space": "s", "format": "json", "edits": [edit]});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let response = client.post("/v1/edit", body).await;
        assert_eq!(
            response.status,
            StatusCode::OK,
            "{}",
            String::from_utf8_lossy(&response.body)
        );
        response.json()
    };
    let held = edit(
        json!({"attribute": "smile", "by": 2}),
        json!({"conditions": ["age"]}),
    )
    .await;
    let age = |face: &Value| face["distances"]["age"].as_f64().unwrap();
    assert!(
        (age(&held["faces"][0]) - age(&held["before"])).abs() < 1e-5,
        "{held}"
    );
    let target = edit(json!({"attribute": "smile", "to_score": 0.4}), json!({})).await;
    let (smile, _) = scores_of(&target["faces"][0]);
    assert!((smile - 0.4).abs() < 0.05, "{smile}");
    let by_deviation = edit(
        json!({"attribute": "smile", "by": 1}),
        json!({"unit": "deviation"}),
    )
    .await;
    assert!(by_deviation["faces"][0]["image"].is_string());
    let series = edit(
        json!({"attribute": "smile"}),
        json!({"trajectory": {"start": -1, "end": 1, "steps": 3}}),
    )
    .await;
    assert_eq!(series["faces"].as_array().unwrap().len(), 3);
    let model = client.get("/v1/models/sketch?cosines=smile,age").await.json();
    assert!(model["cosines"]["s"]["matrix"].is_array(), "{model}");
}

#[tokio::test]
async fn a_report_compares_style_channels_of_the_model_and_ranked_ones() {
    let client = client();
    // The planted channel moves smile alone. Age has no boundary in s, so that its channels are ranked: some move smile, too.
    let smile = json!({"normal": [0, 0, 0, 0, 1, 0]});
    let added = put(&client, &format!("{PATH}/smile/s"), smile).await;
    assert_eq!(added.status, StatusCode::OK);
    let body = json!({"space": "w", "samples": 60, "faces": 2, "compare": 4});
    let location = begun(&client, body).await;
    let job = ended(&client, &location).await;
    assert_eq!(job["status"], "done", "{job}");
    let report = client.get(&format!("{location}/report")).await.json();
    let methods = report["methods"].as_array().unwrap();
    for name in ["style channels", "style channels, others held"] {
        let found = methods.iter().find(|method| method["method"] == name);
        let effects = &found.unwrap_or_else(|| panic!("there is no {name}: {methods:?}"))["effects"];
        let level = |attribute: usize| &effects[attribute]["by_score"][0];
        assert_eq!(effects[0]["attribute"], "smile");
        assert_eq!(level(0)["reached"], 4, "{effects}");
        assert!(level(0)["dependency"].as_f64().unwrap() < 1e-6, "{effects}");
        assert_eq!(effects[1]["attribute"], "age");
        assert!(level(1)["reached"].as_u64().unwrap() > 0, "{effects}");
        if name == "style channels" {
            assert!(level(1)["dependency"].as_f64().unwrap() > 0.1, "{effects}");
        }
    }
}

#[tokio::test]
async fn a_boundary_in_s_is_put_read_and_deleted_with_its_channels() {
    let client = client();
    let channel = json!({"layer": 1, "channel": 1, "effects": [{"attribute": "beard", "change": 0.5}]});
    let body = json!({"normal": [0, 0, 0, 0, 2, 0], "channels": [channel]});
    let added = put(&client, &format!("{PATH}/beard/s"), body).await;
    assert_eq!(
        added.status,
        StatusCode::OK,
        "{}",
        String::from_utf8_lossy(&added.body)
    );
    let found = client.get(&format!("{PATH}/beard/s")).await.json();
    assert_eq!((&found["channels"][0], &found["space"]), (&channel, &json!("s")));
    let wrong = put(&client, &format!("{PATH}/beard/s"), json!({"normal": [0, 1]})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let deleted = delete(&client, &format!("{PATH}/beard/s")).await;
    assert_eq!(deleted.status, StatusCode::OK);
}

#[tokio::test]
async fn too_few_samples_to_move_each_channel_are_refused_with_the_number() {
    let body = json!({"attributes": ["smile"], "space": "s", "samples": 205});
    let response = client().post(PATH, body).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("found 205 samples, expected at least 206"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_report_is_about_spaces_that_samples_have() {
    let client = client();
    let normal = json!({"normal": [1, 0, 0, 0, 0, 0]});
    let added = put(&client, &format!("{PATH}/smile/s"), normal).await;
    assert!(added.status.is_success(), "{}", added.json());
    let response = client
        .post("/v1/models/sketch/report", json!({"space": "s"}))
        .await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("found the space s for a report"), "{detail}");
}
