//! Keys, their scopes, and the sessions of browsers.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use faceplane::api::{Guard, Keys, NewKey, Scope};

use crate::support::{Client, Response};

/// A client of the small generator, whose service has this guard.
pub(crate) fn client_with(guard: Guard) -> Client {
    Client::sketch_of(|api| api.with_guard(guard))
}

/// A service with a key of each scope, and the keys.
struct Guarded {
    client: Client,
    guard: Guard,
    using: NewKey,
    training: NewKey,
    admin: NewKey,
}

impl Guarded {
    fn new() -> Self {
        let [using, training, admin] = [(); 3].map(|()| NewKey::random().unwrap());
        let lines = [
            using.line("web", Scope::Use),
            training.line("lab", Scope::Train),
            admin.line("me", Scope::Admin),
        ];
        let guard = Guard::with_keys(Keys::parse(&lines.join("\n")).unwrap());
        Self {
            client: client_with(guard.clone()),
            guard,
            using,
            training,
            admin,
        }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request
            .header("host", "faces.example")
            .header("content-type", "application/json");
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        self.client.send(request.body(Body::from("{}")).unwrap()).await
    }

    async fn send_with(&self, key: &NewKey, method: &str, path: &str) -> Response {
        let header = format!("Bearer {}", key.text());
        self.send(method, path, &[("authorization", &header)]).await
    }

    /// Begins a session, and returns its cookie as requests send it.
    async fn session_of(&self, key: &NewKey) -> String {
        let response = self.send_with(key, "POST", "/session").await;
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        let cookie = response.header("set-cookie").expect("a session has a cookie");
        cookie.split_once(';').unwrap().0.to_owned()
    }

    async fn status_with_cookie(&self, cookie: &str, method: &str, path: &str) -> StatusCode {
        self.send(method, path, &[("cookie", cookie)]).await.status
    }
}

fn assert_unauthorized(response: &Response, kind: &str, what: &str) {
    assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{what}");
    assert_eq!(
        response.json()["type"],
        format!("urn:faceplane:problem:{kind}"),
        "{what}"
    );
    let challenge = response.header("www-authenticate").expect(what);
    assert!(challenge.starts_with("Bearer realm="), "{what}: {challenge}");
    assert_eq!(challenge.contains("invalid_token"), kind != "no-key", "{what}");
}

#[tokio::test]
async fn without_a_valid_key_nothing_but_health_and_the_files_of_the_page_answers() {
    let guarded = Guarded::new();
    let document = Client::sketch().get("/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let mut operations: Vec<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.replace(['{', '}'], "")))
        })
        .filter(|(_, path)| !path.starts_with("/health/"))
        .collect();
    assert!(operations.len() > 20);
    for path in [
        "/openapi.json",
        "/docs",
        "/docs/",
        "/v1/nothing",
        "/v1/sample/",
        "/%2e%2e/",
        "//v1/sample",
    ] {
        operations.push(("GET".to_owned(), path.to_owned()));
    }
    operations.push(("PATCH".to_owned(), "/v1/sample".to_owned()));
    let stranger = NewKey::random().unwrap();
    let cut = &guarded.admin.text()[..40];
    for (method, path) in operations {
        let what = format!("{method} {path}");
        let response = guarded.send(&method, &path, &[]).await;
        assert_unauthorized(&response, "no-key", &what);
        for wrong in [stranger.text(), cut] {
            let header = format!("Bearer {wrong}");
            let response = guarded.send(&method, &path, &[("authorization", &header)]).await;
            assert_unauthorized(&response, "unknown-key", &what);
            assert!(!String::from_utf8_lossy(&response.body).contains(wrong), "{what}");
        }
        let basic = guarded
            .send(&method, &path, &[("authorization", "Basic YTpi")])
            .await;
        assert_unauthorized(&basic, "no-key", &what);
        let cookie = guarded
            .send(&method, &path, &[("cookie", "faceplane-session=x")])
            .await;
        assert_unauthorized(&cookie, "session-ended", &what);
    }
    let in_url = format!("/v1/sample?seed=7&key={}", guarded.admin.text());
    assert_unauthorized(&guarded.send("GET", &in_url, &[]).await, "no-key", "in the URL");
    for path in ["/health/live", "/health/ready", "/", "/assets/main.js"] {
        assert_eq!(
            guarded.send("GET", path, &[]).await.status,
            StatusCode::OK,
            "{path}"
        );
    }
    assert_unauthorized(&guarded.send("POST", "/", &[]).await, "no-key", "POST /");
}

#[tokio::test]
async fn a_key_allows_what_its_scope_allows_and_no_more() {
    let guarded = Guarded::new();
    for (method, path, used) in [
        ("GET", "/v1/sample?seed=7", StatusCode::OK),
        ("POST", "/v1/score", StatusCode::OK),
        ("GET", "/v1/models/sketch/boundaries/smile/w", StatusCode::OK),
        ("GET", "/v1/jobs", StatusCode::OK),
        ("GET", "/metrics", StatusCode::OK),
        ("GET", "/openapi.json", StatusCode::OK),
        ("GET", "/docs/", StatusCode::OK),
    ] {
        for key in [&guarded.using, &guarded.training, &guarded.admin] {
            let response = guarded.send_with(key, method, path).await;
            assert_eq!(response.status, used, "{method} {path}");
        }
    }
    for (method, path, trained) in [
        (
            "PUT",
            "/v1/models/sketch/boundaries/beard/w",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            "DELETE",
            "/v1/models/sketch/boundaries/beard/w",
            StatusCode::NOT_FOUND,
        ),
        ("POST", "/v1/models/nobody/report", StatusCode::NOT_FOUND),
        ("DELETE", "/v1/jobs/7", StatusCode::NOT_FOUND),
    ] {
        let response = guarded.send_with(&guarded.using, method, path).await;
        assert_eq!(response.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(response.json()["type"], "urn:faceplane:problem:scope");
        let challenge = response.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("insufficient_scope") && challenge.contains("\"train\""),
            "{challenge}"
        );
        for key in [&guarded.training, &guarded.admin] {
            let response = guarded.send_with(key, method, path).await;
            assert_eq!(response.status, trained, "{method} {path}");
        }
    }
    // The name of the scheme has no case (RFC 9110).
    let header = format!("bearer {}", guarded.using.text());
    let response = guarded
        .send("GET", "/v1/models", &[("authorization", &header)])
        .await;
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_need_no_key_if_they_are_open() {
    let keys = Keys::parse(&NewKey::random().unwrap().line("web", Scope::Use)).unwrap();
    let client = client_with(Guard::with_keys(keys).with_open_metrics());
    assert_eq!(client.get("/metrics").await.status, StatusCode::OK);
    assert_eq!(client.get("/v1/models").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_refusal_can_be_read_by_pages_of_other_origins_and_a_preflight_needs_no_key() {
    let guarded = Guarded::new();
    let page = ("origin", "https://page.example");
    let refused = guarded.send("GET", "/v1/models", &[page]).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(refused.header("access-control-allow-origin").is_some());
    let preflight = [
        page,
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let response = guarded.send("OPTIONS", "/v1/models", &preflight).await;
    assert_eq!(response.status, StatusCode::OK);
}

#[tokio::test]
async fn no_shared_cache_may_keep_a_response_to_a_key() {
    let guarded = Guarded::new();
    for path in [
        "/v1/sample?seed=7&model=sketch",
        "/v1/edit?seed=7&edit=smile:1",
        "/v1/models/sketch",
    ] {
        let response = guarded.send_with(&guarded.using, "GET", path).await;
        assert_eq!(response.status, StatusCode::OK, "{path}");
        let caching = response.header("cache-control").unwrap_or("no-store");
        assert!(!caching.contains("public"), "{path}: {caching}");
        let open = Client::sketch().get(path).await;
        let opened = open.header("cache-control").unwrap_or("no-store");
        assert_eq!(caching, opened.replace("public", "private"), "{path}");
    }
}

#[tokio::test]
async fn a_session_stands_for_its_key_until_it_ends() {
    let guarded = Guarded::new();
    let response = guarded.send_with(&guarded.using, "POST", "/session").await;
    let cookie = response.header("set-cookie").unwrap();
    for part in [
        "faceplane-session=",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Max-Age=43200",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains(guarded.using.text()),
        "{cookie}"
    );
    let cookie = guarded.session_of(&guarded.using).await;
    for (method, path, status) in [
        ("GET", "/v1/sample?seed=7", StatusCode::OK),
        ("POST", "/v1/sample", StatusCode::OK),
        ("DELETE", "/v1/jobs/7", StatusCode::FORBIDDEN),
        // A session begins no other one.
        ("POST", "/session", StatusCode::UNAUTHORIZED),
    ] {
        let found = guarded.status_with_cookie(&cookie, method, path).await;
        assert_eq!(found, status, "{method} {path}");
    }
    let other = guarded.session_of(&guarded.using).await;
    let ended = guarded.send("DELETE", "/session", &[("cookie", &cookie)]).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(ended.header("set-cookie").unwrap().contains("Max-Age=0"));
    let after = guarded.send("GET", "/v1/models", &[("cookie", &cookie)]).await;
    assert_unauthorized(&after, "session-ended", "after its end");
    assert_eq!(
        guarded.status_with_cookie(&other, "GET", "/v1/models").await,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_cookie_of_a_page_that_came_by_https_is_sent_by_https_only() {
    let guarded = Guarded::new();
    let key = format!("Bearer {}", guarded.using.text());
    let headers = [("authorization", &*key), ("origin", "https://faces.example")];
    let response = guarded.send("POST", "/session", &headers).await;
    assert!(response.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_use_a_session() {
    let guarded = Guarded::new();
    let cookie = guarded.session_of(&guarded.admin).await;
    for headers in [
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://other.faces.example")],
    ] {
        for (method, path) in [
            ("GET", "/v1/sample?seed=7"),
            ("POST", "/v1/sample"),
            ("DELETE", "/v1/jobs/7"),
        ] {
            let mut headers = headers.to_vec();
            headers.push(("cookie", &cookie));
            let status = guarded.send(method, path, &headers).await.status;
            assert!(
                [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status),
                "{method} {path} {headers:?}: {status}"
            );
        }
    }
    let own = [
        ("cookie", &*cookie),
        ("origin", "http://faces.example"),
        ("sec-fetch-site", "same-origin"),
    ];
    assert_eq!(
        guarded.send("DELETE", "/v1/jobs/7", &own).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn replaced_keys_count_at_once_and_sessions_follow_their_key() {
    let guarded = Guarded::new();
    let (used, trained) = (
        guarded.session_of(&guarded.using).await,
        guarded.session_of(&guarded.training).await,
    );
    let lines = [
        guarded.training.line("lab", Scope::Use),
        guarded.admin.line("me", Scope::Admin),
    ];
    guarded
        .guard
        .replace_keys(Keys::parse(&lines.join("\n")).unwrap());
    let gone = guarded.send_with(&guarded.using, "GET", "/v1/models").await;
    assert_unauthorized(&gone, "unknown-key", "a key that is gone");
    let gone = guarded.status_with_cookie(&used, "GET", "/v1/models").await;
    assert_eq!(gone, StatusCode::UNAUTHORIZED);
    let smaller = guarded.status_with_cookie(&trained, "DELETE", "/v1/jobs/7").await;
    assert_eq!(smaller, StatusCode::FORBIDDEN);
    let stays = guarded.status_with_cookie(&trained, "GET", "/v1/models").await;
    assert_eq!(stays, StatusCode::OK);
}

#[tokio::test]
async fn a_service_without_keys_has_no_sessions_and_ignores_keys() {
    let client = Client::sketch();
    let send = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", "Bearer something");
        client.send(request.body(Body::empty()).unwrap()).await
    };
    let begun = send("POST", "/session").await;
    assert_eq!(
        (begun.status, begun.header("set-cookie")),
        (StatusCode::NO_CONTENT, None)
    );
    assert_eq!(send("DELETE", "/session").await.status, StatusCode::NO_CONTENT);
    assert_eq!(send("GET", "/v1/models").await.status, StatusCode::OK);
}
