//! Edits with a target score: `to_score`.

use std::time::Duration;

use axum::http::StatusCode;
use faceplane::editor::Models;
use serde_json::{Value, json};

use crate::api::failures::controlled;
use crate::support::{Client, StripeGenerator, model_of, phantom};

async fn edited(client: &Client, body: &Value) -> Value {
    let response = client.post("/v1/edit", body.clone()).await;
    let text = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, StatusCode::OK, "{text}");
    response.json()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[tokio::test]
async fn a_face_moves_until_its_classifier_gives_the_target_probability() {
    let client = Client::new(phantom(), Duration::from_mins(1));
    for (seed, wanted) in [(1, 0.9), (2, 0.9), (3, 0.1), (4, 0.5)] {
        let body = json!({
            "seed": seed, "format": "json", "edits": [{"attribute": "smile", "to_score": wanted}]
        });
        let response = edited(&client, &body).await;
        let aim = &response["score_search"];
        let logit = number(&response["faces"][0]["scores"]["smile"]);
        let found = 1.0 / (1.0 + (-logit).exp());
        assert!(
            (found - wanted).abs() < 0.05,
            "{found} instead of {wanted}: {aim}"
        );
        assert!((found - number(&aim["after"])).abs() < 1e-3, "{aim}");
        assert_eq!(aim["reached"], true);
        let distance = |face: &Value| number(&face["distances"]["smile"]);
        let way = distance(&response["faces"][0]) - distance(&response["before"]);
        assert!((way - number(&aim["moved"]["smile"])).abs() < 1e-4, "{aim}");
    }
}

#[tokio::test]
async fn the_search_holds_scores_that_drift_if_only_distances_are_held() {
    let client = Client::new(phantom(), Duration::from_mins(1));
    let (mut drifted, mut held) = (0.0, 0.0);
    for seed in 1..5 {
        let mut body = json!({
            "seed": seed, "space": "z", "format": "json", "conditions": ["eyeglasses", "gender"],
            "edits": [{"attribute": "age", "to_score": 0.9}]
        });
        let aimed = edited(&client, &body).await;
        body["edits"][0] = json!({"attribute": "age", "by": aimed["score_search"]["moved"]["age"]});
        let plain = edited(&client, &body).await;
        for attribute in ["eyeglasses", "gender"] {
            let drift = |response: &Value| {
                let score = |face: &Value| number(&face["scores"][attribute]);
                (score(&response["faces"][0]) - score(&response["before"])).abs()
            };
            drifted += drift(&plain);
            held += drift(&aimed);
        }
        assert_eq!(
            aimed["score_search"]["reached"], true,
            "{}",
            aimed["score_search"]
        );
    }
    assert!(held < drifted / 2.0, "{held} held, {drifted} not");
}

#[tokio::test]
async fn an_unreachable_score_is_a_warning_with_the_nearest_score() {
    let body = json!({"seed": 7, "format": "json", "edits": [{"attribute": "smile", "to_score": 5.0}]});
    let response = edited(&Client::sketch(), &body).await;
    assert_eq!(response["score_search"]["reached"], false);
    let warnings = response["warnings"].to_string();
    assert!(
        warnings.contains("the target score of smile is 5, and the nearest that was found is 0."),
        "{warnings}"
    );
}

#[tokio::test]
async fn a_url_can_ask_for_a_target_value() {
    let client = Client::sketch();
    let before = client.get("/v1/score?seed=7").await.json();
    let wanted = number(&before["scores"][0]["score"]) - 0.05;
    let uri = format!("/v1/edit?seed=7&edit=smile:to_score:{wanted}&format=json");
    let response = client.get(&uri).await.json();
    let found = number(&response["faces"][0]["scores"]["smile"]);
    assert!(
        (found - wanted).abs() <= 0.001 + 1e-6,
        "{found}, {wanted}, {}",
        response["score_search"]
    );
    assert_eq!(response["score_search"]["reached"], true, "{response}");
}

#[tokio::test]
async fn a_repeated_condition_counts_once() {
    let search = async |conditions: &[&str]| {
        let body = json!({
            "seed": 7, "space": "w", "format": "json", "edits": [{"attribute": "smile", "to_score": 0.1}],
            "conditions": conditions
        });
        edited(&Client::sketch(), &body).await["score_search"].clone()
    };
    let (once, twice) = (search(&["age"]).await, search(&["age", "age"]).await);
    assert_eq!(once, twice);
    assert_eq!(once["conditions"].as_object().unwrap().len(), 1, "{once}");
}

#[tokio::test]
async fn impossible_target_scores_are_refused_with_the_reason() {
    let (sketch, phantom) = (Client::sketch(), Client::new(phantom(), Duration::from_mins(1)));
    let smile = json!({"attribute": "smile", "to_score": 0.5});
    let cases = [
        (
            &sketch,
            json!({"edits": [smile, {"attribute": "age", "by": 1}]}),
            "in a single edit alone",
        ),
        (
            &sketch,
            json!({"edits": [smile], "trajectory": {"steps": 3}}),
            "in a single edit alone",
        ),
        (
            &sketch,
            json!({"edits": [{"attribute": "smile", "to_score": 0.5, "by": 1}]}),
            "found several of by, to and to_score",
        ),
        (
            &sketch,
            json!({"edits": [{"attribute": "grin", "to_score": 0.5}]}),
            "no classifier of model sketch scores \"grin\"",
        ),
        (
            &phantom,
            json!({"edits": [{"attribute": "smile", "to_score": 1}]}),
            "above 0 and below 1",
        ),
    ];
    for (client, mut body, expected) in cases {
        body["seed"] = json!(7);
        let response = client.post("/v1/edit", body).await;
        let text = String::from_utf8_lossy(&response.body);
        assert!(response.status.is_client_error(), "{text}");
        assert!(
            response.json()["detail"].as_str().unwrap().contains(expected),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_score_search_has_a_permit_for_every_image_in_the_queue() {
    // The largest round has 8 images, so 4 of 12 stay free.
    let (generator, begun, release) = controlled();
    let models = Models::new(vec![model_of(generator, 12)], None).unwrap();
    let client = std::sync::Arc::new(Client::new(models, Duration::from_mins(1)));
    let search = tokio::spawn({
        let client = client.clone();
        async move { client.get("/v1/edit?seed=7&edit=smile:to_score:0.1").await.status }
    });
    let begun = tokio::task::spawn_blocking(move || begun.recv().map(|()| begun).unwrap());
    // The receiver lives as long as the generator sends.
    let _begun = begun.await.unwrap();
    let refused = client.get("/v1/sample?seed=1&count=5").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    let admitted = tokio::spawn({
        let client = client.clone();
        async move { client.get("/v1/sample?seed=1&count=4").await.status }
    });
    drop(release);
    assert_eq!(admitted.await.unwrap(), StatusCode::OK);
    assert_eq!(search.await.unwrap(), StatusCode::OK);
    let free = client.get("/v1/sample?seed=1&count=12").await;
    assert_eq!(free.status, StatusCode::OK, "the search returns its permits");
}

#[tokio::test]
async fn a_score_search_works_with_a_queue_of_one_image() {
    let search = async |queue: usize| {
        let models = Models::new(vec![model_of(StripeGenerator::new(), queue)], None).unwrap();
        let client = Client::new(models, Duration::from_mins(1));
        let body =
            json!({"seed": 7, "edits": [{"attribute": "smile", "to_score": 0.1}], "conditions": ["age"]});
        client.post("/v1/edit", body).await.pixels()
    };
    assert_eq!(search(1).await, search(64).await);
}
