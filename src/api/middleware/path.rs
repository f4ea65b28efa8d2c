//! The path of a request as the routes have it: without the prefix of a proxy, and without a slash at the end.

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::api::base_path::BasePath;

/// The page that is at a path with a slash, because its own links are relative to it.
const WITH_SLASH: &str = "/docs/";

/// Removes the prefix and the slash before the routes see the path.
pub(crate) async fn simplify(State(base): State<BasePath>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let below = match base.strip(path) {
        // The links of the page are relative to a path with a slash.
        Some("") => return Redirect::permanent(&base.link("/")).into_response(),
        Some(below) => below,
        None => path,
    };
    let simple = without_slash(below);
    if simple.len() != path.len() {
        *request.uri_mut() = with_path(request.uri(), simple);
    }
    next.run(request).await
}

fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(short) if !short.is_empty() && !short.ends_with('/') && path != WITH_SLASH => short,
        _ => path,
    }
}

fn with_path(uri: &Uri, path: &str) -> Uri {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let whole: PathAndQuery = format!("{path}{query}")
        .parse()
        .expect("the end of a path is a path");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(whole);
    Uri::from_parts(parts).expect("the other parts are as they were")
}
