//! Lists come in pages, and a model's description does not grow with its boundaries.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::api::boundaries::put;
use crate::support::{Client, Response, numbers};

const BOUNDARIES: &str = "/v1/models/sketch/boundaries";

/// All pages of the list at `path`, by the links in their headers.
async fn pages(client: &Client, path: &str, first: &str) -> Vec<Value> {
    let (mut found, mut query) = (Vec::new(), Some(first.to_owned()));
    while let Some(next) = query {
        let response = client.get(&format!("{path}{next}")).await;
        let body = response.json();
        query = response.header("link").map(|link| {
            let query = link
                .strip_prefix('<')
                .and_then(|link| link.strip_suffix(">; rel=\"next\""));
            query.unwrap_or_else(|| panic!("{link}")).to_owned()
        });
        assert_eq!(query.is_some(), body["next"].is_string(), "{body}");
        found.push(body);
    }
    found
}

fn names(page: &Value) -> Vec<String> {
    let listed = page["boundaries"].as_array().unwrap().iter();
    listed
        .map(|one| {
            format!(
                "{} {}",
                one["attribute"].as_str().unwrap(),
                one["space"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn boundaries_are_listed_in_pages_in_the_order_of_attributes_and_spaces() {
    let client = Client::sketch();
    let rows = json!({"normal": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]});
    let uri = format!("{BOUNDARIES}/hair%20colour%2Fdark%20%26%20long/w+");
    assert_eq!(put(&client, &uri, rows).await.status, StatusCode::OK);
    let all = client.get(BOUNDARIES).await.json();
    let expected = [
        "age z",
        "age w",
        "grin w",
        "hair colour/dark & long w+",
        "smile z",
        "smile w",
    ];
    assert_eq!(names(&all), expected);
    assert_eq!((&all["count"], &all["next"]), (&json!(6), &Value::Null));
    for limit in 1..=6 {
        let pages = pages(&client, BOUNDARIES, &format!("?limit={limit}")).await;
        assert_eq!(pages.len(), 6_usize.div_ceil(limit), "limit {limit}");
        assert_eq!(pages.iter().flat_map(names).collect::<Vec<_>>(), expected);
    }
    // A boundary that is deleted in between does not end the list.
    let rest = client.get(&format!("{BOUNDARIES}?after=beard:w%2B")).await.json();
    assert_eq!(names(&rest), expected[2..]);
    let nothing = client.get(&format!("{BOUNDARIES}?after=zebra:z")).await.json();
    assert!(
        names(&nothing).is_empty() && nothing["next"].is_null(),
        "{nothing}"
    );
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let client = Client::sketch();
    for uri in [
        "/v1/models/sketch/boundaries?limit=0",
        "/v1/models/sketch/boundaries?limit=201",
        "/v1/models/sketch/boundaries?after=smile",
        "/v1/models/sketch/boundaries?after=smile:x",
        "/v1/models/sketch/boundaries?before=smile:w",
        "/v1/jobs?limit=101",
        "/v1/jobs?after=first",
    ] {
        let response = client.get(uri).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{uri}");
    }
}

async fn cancel(client: &Client, id: &str, timeout: &str) -> Response {
    let request = Request::builder()
        .method(Method::DELETE)
        .uri(format!("/v1/jobs/{id}"))
        .header("faceplane-timeout", timeout);
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn jobs_are_listed_in_pages_the_newest_first() {
    let client = Client::sketch();
    for _ in 0..3 {
        let body = json!({"attributes": ["smile"], "space": "w", "samples": 900_000});
        assert_eq!(client.post(BOUNDARIES, body).await.status, StatusCode::ACCEPTED);
    }
    let ids = |page: &Value| {
        let listed = page["jobs"].as_array().unwrap().iter();
        listed
            .map(|job| job["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&client.get("/v1/jobs").await.json()), ["3", "2", "1"]);
    let pages = pages(&client, "/v1/jobs", "?limit=2").await;
    assert_eq!(
        pages.iter().map(ids).collect::<Vec<_>>(),
        [vec!["3", "2"], vec!["1"]]
    );
    // A cancellation has happened even if its timeout passes before the job has ended.
    for id in ["1", "2", "3"] {
        let response = cancel(&client, id, "0.000001").await;
        assert!(response.status.is_success(), "{}", response.json());
        let ended = cancel(&client, id, "60").await;
        assert_eq!(
            (ended.status, &ended.json()["status"]),
            (StatusCode::OK, &json!("cancelled"))
        );
    }
}

#[tokio::test]
async fn a_models_description_has_the_cosines_that_are_asked_for_by_name() {
    let client = Client::sketch();
    let plain = client.get("/v1/models/sketch").await.json();
    assert_eq!(plain["cosines"], Value::Null);
    let model = client.get("/v1/models/sketch?cosines=smile,age").await.json();
    let cosines = &model["cosines"]["z"];
    assert_eq!(cosines["attributes"], json!(["smile", "age"]));
    let row = numbers(&cosines["matrix"][0]);
    assert!(
        (row[0] - 1.0).abs() < 1e-12 && (row[1] - 0.6).abs() < 1e-12,
        "{row:?}"
    );
    assert_eq!(model["cosines"]["w+"], Value::Null);
    let model = client.get("/v1/models/sketch?cosines=grin").await.json();
    assert_eq!(
        model["cosines"],
        json!({"w": {"attributes": ["grin"], "matrix": [[1.0]]}})
    );
    let unknown = client.get("/v1/models/sketch?cosines=smile,beard").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.json()["type"], "urn:faceplane:problem:unknown-attribute");
    let many = vec!["smile"; 33].join(",");
    let response = client.get(&format!("/v1/models/sketch?cosines={many}")).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn responses_about_a_model_with_a_thousand_boundaries_are_small() {
    let client = Client::sketch();
    for number in 0..995 {
        let uri = format!("{BOUNDARIES}/a{number}/w");
        let body = json!({"normal": [1, 2, 3, number]});
        assert_eq!(put(&client, &uri, body).await.status, StatusCode::OK);
    }
    let full = put(
        &client,
        &format!("{BOUNDARIES}/more/w"),
        json!({"normal": [1, 2, 3, 4]}),
    )
    .await;
    assert_eq!(full.status, StatusCode::INSUFFICIENT_STORAGE);
    // Many distances are computed on another thread, and are the same.
    let sample = async |query| {
        let uri = format!("/v1/sample?space=w%2B&format=json&{query}");
        client.get(&uri).await.json()["faces"].clone()
    };
    let (one, many) = (sample("seed=16").await, sample("seed=1&count=16").await);
    assert_eq!(many[15]["distances"], one[0]["distances"]);
    assert_eq!(one[0]["distances"].as_object().unwrap().len(), 998);
    let model = client.get("/v1/models/sketch").await;
    // Some 150 bytes for each boundary.
    assert!(model.body.len() < 200_000, "{}", model.body.len());
    assert_eq!(model.json()["boundaries"].as_array().unwrap().len(), 1000);
    assert_eq!(model.json()["spaces"][1]["boundaries"], 998);
    let list = client.get(BOUNDARIES).await;
    assert!(list.body.len() < 20_000, "{}", list.body.len());
    assert_eq!(list.json()["count"], 1000);
    let unknown = client.get(&format!("{BOUNDARIES}/beard/w")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.body.len() < 1000, "{}", unknown.body.len());
    let text = String::from_utf8(unknown.body).unwrap();
    assert!(text.contains("and 980 others"), "{text}");
}
