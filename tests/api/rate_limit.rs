//! The limit on the rate of requests, for each key or client address.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::api::{Guard, Keys, NewKey, PeerAddress, Scope};

use super::keys::client_with;

#[tokio::test]
async fn a_client_above_the_limit_gets_429_and_is_told_when_to_try_again() {
    let keys = [NewKey::random().unwrap(), NewKey::random().unwrap()];
    let lines = [keys[0].line("one", Scope::Use), keys[1].line("two", Scope::Use)];
    let guard = Guard::with_keys(Keys::parse(&lines.join("\n")).unwrap());
    let client = client_with(guard.with_rate_limit("3/h".parse().unwrap()));
    let send = async |header: String, path: &str| {
        let request = Request::get(path).header("authorization", header);
        client.send(request.body(Body::empty()).unwrap()).await
    };
    let with = |key: &NewKey| format!("Bearer {}", key.text());
    for left in [2, 1, 0] {
        let response = send(with(&keys[0]), "/v1/models").await;
        assert_eq!(response.status, StatusCode::OK);
        assert_eq!(
            response.header("ratelimit-policy"),
            Some("\"requests\";q=3;w=3600")
        );
        let state = response.header("ratelimit").unwrap();
        assert!(state.starts_with(&format!("\"requests\";r={left};t=")), "{state}");
    }
    let refused = send(with(&keys[0]), "/v1/models").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.json()["type"], "urn:faceplane:problem:rate-limit");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1_100..=1_201).contains(&wait), "{wait}");
    assert!(
        refused
            .header("ratelimit")
            .unwrap()
            .starts_with("\"requests\";r=0;t=")
    );
    assert_eq!(send(with(&keys[1]), "/v1/models").await.status, StatusCode::OK);
    // Probes and the files of the page do not count.
    for path in ["/health/ready", "/", "/assets/main.js"] {
        let response = send(with(&keys[0]), path).await;
        assert_eq!(
            (response.status, response.header("ratelimit")),
            (StatusCode::OK, None),
            "{path}"
        );
    }
    // Wrong keys count by the address.
    for expected in [401, 401, 401, 429] {
        assert_eq!(
            send("Bearer wrong".to_owned(), "/v1/models").await.status,
            expected
        );
    }
}

#[tokio::test]
async fn without_keys_clients_are_told_apart_by_their_address() {
    let proxies = ["10.0.0.0/8".parse().unwrap()];
    let guard = Guard::default().with_trusted_proxies(&proxies);
    let client = client_with(guard.with_rate_limit("1/h".parse().unwrap()));
    let send = async |peer: &str, forwarded: &str| {
        let request = Request::get("/v1/models").header("x-forwarded-for", forwarded);
        let mut request = request.body(Body::empty()).unwrap();
        request
            .extensions_mut()
            .insert(PeerAddress(peer.parse().unwrap()));
        client.send(request).await.status
    };
    for (peer, forwarded, expected) in [
        ("203.0.113.7", "", 200),
        ("203.0.113.7", "198.51.100.9", 429),
        ("203.0.113.8", "", 200),
        ("10.0.0.1", "198.51.100.1", 200),
        ("10.0.0.2", "1.2.3.4, 198.51.100.1", 429),
        ("10.0.0.2", "198.51.100.2", 200),
    ] {
        assert_eq!(send(peer, forwarded).await, expected, "{peer} {forwarded}");
    }
}
