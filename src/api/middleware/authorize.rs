//! Refuses requests without a key, or with one of too small a scope.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::api::guard::Guard;
use crate::api::problem::Problem;

/// Answers a request if its key allows the operation, and names the key in the log.
pub(crate) async fn authorize(
    State(guard): State<Guard>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(needed) = guard.needed_scope(request.method(), request.uri().path()) else {
        return Ok(next.run(request).await);
    };
    let key = guard.key_of(request.headers())?;
    tracing::Span::current().record("key", &*key.name);
    if key.scope < needed {
        let found = key.scope;
        return Err(Problem::Scope { found, needed });
    }
    let mut response = next.run(request).await;
    keep_private(&mut response);
    Ok(response)
}

/// Lets only the client's own cache keep the response: a shared one would give it to those without a key.
fn keep_private(response: &mut Response) {
    let caching = response.headers().get(header::CACHE_CONTROL);
    let caching = caching.and_then(|value| value.to_str().ok());
    let Some(rest) = caching.and_then(|value| value.strip_prefix("public")) else {
        return;
    };
    let caching = HeaderValue::from_str(&format!("private{rest}"));
    let caching = caching.expect("the end of a header is allowed in headers");
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
}
