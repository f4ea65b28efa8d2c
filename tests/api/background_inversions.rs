//! Inversions that go on after their request.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use super::inversion_optimization::{bowl, events, face, wait_for_idle};
use crate::support::{Client, Response, phantom};

/// Begins an inversion, and returns its path.
async fn begin(client: &Client, options: &str) -> String {
    let response = post(client, options).await;
    assert_eq!(response.status, StatusCode::ACCEPTED);
    let location = response.header("location").unwrap().to_owned();
    let body = response.json();
    assert_eq!(
        location,
        format!("/v1/inversions/{}", body["id"].as_str().unwrap())
    );
    assert_eq!(body["status"], "running");
    location
}

async fn post(client: &Client, options: &str) -> Response {
    let file = face(client).await;
    let request = Request::post(format!("/v1/inversions?{options}")).header("content-type", "image/png");
    client.send(request.body(Body::from(file)).unwrap()).await
}

async fn follow(client: &Client, location: &str, last: Option<&str>) -> Response {
    let mut request = Request::get(location).header("accept", "text/event-stream");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    client.send(request.body(Body::empty()).unwrap()).await
}

async fn delete(client: &Client, location: &str) -> Value {
    let response = client
        .send(Request::delete(location).body(Body::empty()).unwrap())
        .await;
    assert_eq!(response.status, StatusCode::OK);
    response.json()
}

#[tokio::test]
async fn its_events_end_with_the_response_of_an_inversion_and_its_json_has_it_too() {
    let (client, _steps, go_on) = bowl();
    let location = begin(&client, "method=optimize&steps=5").await;
    for _ in 0..6 {
        go_on.send(()).unwrap();
    }
    let followed = events(&follow(&client, &location, None).await);
    let (end, steps) = followed.split_last().unwrap();
    assert!(steps.iter().all(|(name, _)| name == "progress"), "{steps:?}");
    assert_eq!(end.0, "end");
    assert_eq!(end.1["optimization"]["steps"], 5);
    let inversion = client.get(&location).await.json();
    assert_eq!(inversion["status"], "done");
    assert_eq!(inversion["result"], end.1);
    assert!(inversion.get("progress").is_none(), "{inversion}");
}

#[tokio::test]
async fn an_event_source_that_has_the_end_does_not_come_back() {
    let (client, _steps, go_on) = bowl();
    let location = begin(&client, "method=optimize&steps=1").await;
    for _ in 0..2 {
        go_on.send(()).unwrap();
    }
    follow(&client, &location, None).await;
    for (last, status) in [
        (None, StatusCode::OK),
        (Some("2"), StatusCode::OK),
        (Some("end"), StatusCode::NO_CONTENT),
    ] {
        assert_eq!(follow(&client, &location, last).await.status, status, "{last:?}");
    }
}

#[tokio::test]
async fn its_latest_step_is_there_while_it_runs_and_cancelling_ends_it() {
    let (client, steps, go_on) = bowl();
    let location = begin(&client, "method=optimize&steps=1000").await;
    go_on.send(()).unwrap();
    let inversion = loop {
        let inversion = client.get(&location).await.json();
        assert_eq!(inversion["status"], "running");
        if inversion.get("progress").is_some() {
            break inversion;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(inversion["progress"]["step"], 0);
    assert!(inversion["progress"]["loss"].is_f64());
    assert!(inversion.get("result").is_none());
    let cancelled = delete(&client, &location).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(delete(&client, &location).await, cancelled, "once more");
    let end = events(&follow(&client, &location, None).await);
    assert_eq!(end, [("end".to_owned(), cancelled)]);
    go_on.send(()).unwrap();
    wait_for_idle(&client).await;
    assert!(
        steps.try_iter().count() <= 2,
        "no step began after the cancellation"
    );
}

#[tokio::test]
async fn a_failed_one_has_its_problem() {
    let (client, _steps, go_on) = bowl();
    let location = begin(&client, "method=encoder").await;
    drop(go_on);
    let end = events(&follow(&client, &location, None).await);
    let [(name, problem)] = &end[..] else {
        panic!("{end:?}")
    };
    assert_eq!(name, "end");
    assert_eq!(problem["status"], 422);
    let inversion = client.get(&location).await.json();
    assert_eq!(inversion["status"], "failed");
    assert_eq!(inversion["problem"], *problem);
}

#[tokio::test]
async fn a_request_that_cannot_be_decoded_and_an_unknown_id_are_ordinary_problems() {
    let client = Client::sketch();
    let refused = post(&client, "method=guess").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.header("location").is_none());
    let unknown = client.get("/v1/inversions/1").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["type"], "urn:faceplane:problem:unknown-inversion");
}

#[tokio::test]
async fn the_oldest_results_make_room_when_they_take_too_much_memory() {
    const MEMORY: usize = 8 << 20;
    let client = Client::of_models_with_memory(phantom(), MEMORY);
    let (mut paths, mut bytes) = (Vec::new(), 0);
    // A sixteenth of the memory is for results. So few inversions would be kept if they took less.
    for _ in 0..16 {
        let path = begin(&client, "").await;
        follow(&client, &path, None).await;
        let inversion = client.get(&path).await;
        assert_eq!(inversion.json()["status"], "done");
        bytes += inversion.body.len();
        paths.push(path);
    }
    assert!(bytes > MEMORY / 8, "the results have {bytes} bytes only");
    assert_eq!(client.get(&paths[0]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get(&paths[15]).await.status, StatusCode::OK);
}
