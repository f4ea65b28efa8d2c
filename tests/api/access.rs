//! Which web pages and which hosts may call the service, and what browsers are told about its responses.

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use faceplane::api::Access;

use crate::support::{Client, Response};

/// The operations that change something, with the status of an ordinary client.
const CHANGES: [(&str, &str, StatusCode); 5] = [
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
    (
        "POST",
        "/v1/models/nobody/boundaries",
        StatusCode::UNPROCESSABLE_ENTITY,
    ),
    ("POST", "/v1/models/nobody/report", StatusCode::NOT_FOUND),
    ("DELETE", "/v1/jobs/7", StatusCode::NOT_FOUND),
];

const SERVICE: &str = "faces.example:8080";

/// Sends a request with `{}` as its body and with further headers.
async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = Request::builder().method(method).uri(path);
    let request = request
        .header(header::HOST, SERVICE)
        .header(header::CONTENT_TYPE, "application/json");
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    client.send(request.body(Body::from("{}")).unwrap()).await
}

fn with_origins(origins: &[&str]) -> Client {
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    Client::sketch_with_access(Access::new(&origins, None).unwrap())
}

#[tokio::test]
async fn web_pages_of_other_origins_change_nothing() {
    let client = Client::sketch();
    for (method, path, _) in CHANGES {
        for headers in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "http://faces.example:3000")],
            &[("origin", "https://faces.example:8080.evil.example")],
            &[("origin", "null")],
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example"), ("content-type", "text/plain")],
        ] {
            let response = send(&client, method, path, headers).await;
            assert_eq!(
                response.status,
                StatusCode::FORBIDDEN,
                "{method} {path} {headers:?}"
            );
            assert_eq!(response.json()["type"], "urn:faceplane:problem:foreign-origin");
        }
    }
}

#[tokio::test]
async fn curl_pages_of_the_service_and_listed_origins_may_change_something() {
    let page = [
        ("origin", "https://page.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    for (client, headers) in [
        (Client::sketch(), &[][..]),
        (Client::sketch(), &[("origin", "http://faces.example:8080")]),
        (Client::sketch(), &[("sec-fetch-site", "same-origin")]),
        (
            with_origins(&["https://other.example", "https://page.example"]),
            &page,
        ),
        (with_origins(&["HTTPS://Page.example"]), &page),
        (with_origins(&["*"]), &page),
    ] {
        for (method, path, expected) in CHANGES {
            let response = send(&client, method, path, headers).await;
            assert_eq!(response.status, expected, "{method} {path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn pages_of_every_origin_may_read_sample_and_edit() {
    let client = Client::sketch();
    let page = [
        ("origin", "https://page.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    for (method, path, expected) in [
        ("GET", "/v1/sample?seed=7", StatusCode::OK),
        ("POST", "/v1/sample", StatusCode::OK),
        ("GET", "/v1/edit?seed=7&edit=smile:1", StatusCode::OK),
        ("POST", "/v1/edit", StatusCode::OK),
        ("POST", "/v1/conditional-edit", StatusCode::OK),
        ("POST", "/v1/invert", StatusCode::UNPROCESSABLE_ENTITY),
        ("POST", "/v1/score", StatusCode::OK),
        ("GET", "/v1/models", StatusCode::OK),
        ("GET", "/v1/models/sketch/boundaries/smile/w", StatusCode::OK),
    ] {
        let response = send(&client, method, path, &page).await;
        assert_eq!(response.status, expected, "{method} {path}");
        let allowed = response.header("access-control-allow-origin");
        assert_eq!(allowed, Some("*"), "{method} {path}");
    }
    let preflight = [
        ("origin", "https://page.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-private-network", "true"),
    ];
    let response = send(&client, "OPTIONS", "/v1/sample", &preflight).await;
    assert_eq!(response.status, StatusCode::OK);
    let private = response.header("access-control-allow-private-network");
    assert_eq!(private, Some("true"));
}

#[tokio::test]
async fn a_host_that_is_not_a_name_of_the_service_is_a_421() {
    let names = ["faces.example".to_owned()];
    let client = Client::sketch_with_access(Access::new(&[], Some(&names)).unwrap());
    let get = async |url: &str, host: &'static str| {
        let request = Request::get(url).header(header::HOST, HeaderValue::from_static(host));
        client.send(request.body(Body::empty()).unwrap()).await
    };
    for path in ["/v1/sample?seed=7", "/health/live", "/metrics", "/openapi.json"] {
        assert_eq!(get(path, "127.0.0.1:8080").await.status, StatusCode::OK, "{path}");
        assert_eq!(get(path, "faces.example").await.status, StatusCode::OK, "{path}");
        let response = get(path, "evil.example:8080").await;
        assert_eq!(response.status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert_eq!(response.json()["type"], "urn:faceplane:problem:foreign-host");
    }
    let over_http2 = get("http://evil.example/v1/models", "faces.example").await;
    assert_eq!(over_http2.status, StatusCode::MISDIRECTED_REQUEST);
    let without_host = client.get("/v1/models").await;
    assert_eq!(without_host.status, StatusCode::OK);
}

#[tokio::test]
async fn every_response_has_the_security_headers_of_its_kind() {
    let client = Client::sketch();
    let nothing = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    for path in [
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/docs/nothing.js",
        "/openapi.json",
        "/v1/sample?seed=7",
        "/v1/models",
        "/v1/nothing",
        "/health/live",
        "/metrics",
    ] {
        let response = client.get(path).await;
        assert_eq!(
            response.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(response.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = response.header("content-security-policy").expect(path);
        let is_page = path.starts_with("/docs/") && response.status == StatusCode::OK;
        assert_eq!(policy == nothing, !is_page, "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn the_page_that_edits_faces_uses_only_files_of_its_own() {
    let client = Client::sketch();
    let page = client.get("/").await;
    let policy = page.header("content-security-policy").unwrap().to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let text = String::from_utf8(page.body).unwrap();
    assert!(
        !text.contains("http") && !text.contains(" style=") && !text.contains(" onclick="),
        "{text}"
    );
    let mut unread: Vec<String> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| text.split(attribute).skip(1))
        .filter_map(|rest| Some(rest.split_once('"')?.0.strip_prefix("assets/")?.to_owned()))
        .collect();
    let mut read = Vec::new();
    while let Some(file) = unread.pop() {
        let response = client.get(&format!("/assets/{file}")).await;
        assert_eq!(response.status, StatusCode::OK, "{file}");
        assert_eq!(
            response.header("content-security-policy"),
            Some(&*policy),
            "{file}"
        );
        let tag = response.header("etag").unwrap().to_owned();
        let known = Request::get(format!("/assets/{file}")).header("if-none-match", tag);
        let again = client.send(known.body(Body::empty()).unwrap()).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{file}");
        let text = String::from_utf8(response.body).unwrap();
        let imported = text
            .split("from \"./")
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
        read.push(file);
        unread.extend(imported.filter(|file| !read.contains(file)));
    }
    for file in ["style.css", "icon.svg", "main.js", "service.js", "face_state.js"] {
        assert!(read.iter().any(|read| read == file), "{file} is not in {read:?}");
    }
    let missing = client.get("/assets/nothing.js").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["type"], "urn:faceplane:problem:no-route");
}

/// Under its policy, the page may only use files of its own.
#[tokio::test]
async fn the_page_of_the_api_uses_only_files_that_its_policy_allows() {
    let client = Client::sketch();
    let page = String::from_utf8(client.get("/docs/").await.body).unwrap();
    let mut files = 0;
    for (attribute, rest) in ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1).map(move |rest| (attribute, rest)))
    {
        let (file, _) = rest.split_once('"').unwrap();
        let file = file.trim_start_matches("./");
        let response = client.get(&format!("/docs/{file}")).await;
        assert_eq!(response.status, StatusCode::OK, "{attribute}{file}");
        files += 1;
    }
    assert!(files > 3, "{page}");
    for script in page.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        let (text, _) = rest.split_once("</script>").unwrap();
        assert!(
            tag.contains("src=") && text.trim().is_empty(),
            "an inline script: {script}"
        );
    }
    let missing = client.get("/docs/nothing.js").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(missing.json()["type"], "urn:faceplane:problem:no-route");
}

#[tokio::test]
async fn no_problem_repeats_more_than_some_hundred_bytes_of_a_request() {
    let client = Client::sketch();
    let long = "%C3%A9x".repeat(9_000);
    let json = format!("\"{}\"", "éx\\n".repeat(100_000));
    let post = |path: &str, kind: &str, body: String| {
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        request.body(Body::from(body)).unwrap()
    };
    let get = |path: String| Request::get(path).body(Body::empty()).unwrap();
    let with = |name: &str, value: String| {
        let request = Request::get("/v1/sample?seed=7&format=tiff").header(name, value);
        request.body(Body::empty()).unwrap()
    };
    for request in [
        get(format!("/{long}")),
        get(format!("/v1/sample?seed={long}")),
        get(format!("/v1/sample?{long}=7")),
        get(format!("/v1/sample?model={long}")),
        get(format!("/v1/edit?seed=1&edit={long}:1")),
        get(format!("/v1/models/{long}")),
        get(format!("/v1/models/sketch/boundaries/{long}/w")),
        get(format!("/v1/jobs/{long}")),
        post(&format!("/docs/{long}"), "text/plain", String::new()),
        post("/v1/sample", &"x/".repeat(30_000), String::new()),
        post("/v1/sample", "application/json", json.clone()),
        post("/v1/sample", "application/json", format!("{{{json}:1}}")),
        post("/v1/sample", "application/json", format!("{{\"seed\":{json}}}")),
        post("/v1/edit", "application/json", format!("{{\"edits\":{json}}}")),
        with("accept", "image/gif,".repeat(100_000)),
        with("accept", "image/gif, ".repeat(60)),
        with("faceplane-timeout", "9".repeat(60_000)),
        with("x-request-id", "id".repeat(30_000)),
    ] {
        let (method, uri) = (request.method().clone(), request.uri().to_string());
        let response = client.send(request).await;
        let shown = format!("{method} {}: {}", &uri[..uri.len().min(60)], response.status);
        assert!(response.status.is_client_error(), "{shown}");
        assert!(
            response.body.len() < 1_200,
            "{shown}: {} bytes",
            response.body.len()
        );
        let headers: usize = response.headers.values().map(HeaderValue::len).sum();
        assert!(headers < 1_000, "{shown}: {headers} bytes of headers");
    }
}

#[tokio::test]
async fn an_accept_header_of_kilobytes_is_a_431() {
    let client = Client::sketch();
    for accept in ["image/png,".repeat(1_000), "a".repeat(10_000)] {
        let request = Request::get("/v1/sample?seed=7").header(header::ACCEPT, accept);
        let response = client.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(response.json()["type"], "urn:faceplane:problem:header-too-large");
    }
}
