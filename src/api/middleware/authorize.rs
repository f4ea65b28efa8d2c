//! Refuses requests without a key, or with one of too small a scope, and those above the limit on the rate.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::guard::Guard;
use crate::api::guard::keys::Key;
use crate::api::guard::needed_scope::needed_scope;
use crate::api::guard::rate_limit::Counted;
use crate::api::guard::scope::Scope;
use crate::api::log_record::note_key;
use crate::api::problem::Problem;

/// Answers a request if its key allows the operation and its client is within the limit. Names the key in the log.
pub(crate) async fn authorize(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let Some(needed) = needed_scope(method, path) else {
        return next.run(request).await;
    };
    let key = if guard.is_open(method, path) {
        Ok(None)
    } else {
        guard.key_of(request.headers()).map(Some)
    };
    // A wrong key counts by the address of its client.
    let known = key.as_ref().ok().and_then(Option::as_deref);
    let counted = guard.count(known, &request);
    let refused = counted.as_ref().and_then(Counted::problem);
    let allowed = refused.map_or(Ok(()), Err).and_then(|()| check(key, needed));
    let mut response = match allowed {
        Ok(is_private) => {
            let mut response = next.run(request).await;
            if is_private {
                keep_private(&mut response);
            }
            response
        }
        Err(problem) => problem.into_response(),
    };
    if let Some(counted) = counted {
        counted.add_to(response.headers_mut());
    }
    response
}

/// Whether a request has a key, which is named in the log. An error if the scope of the key is too small.
fn check(key: Result<Option<Arc<Key>>, Problem>, needed: Scope) -> Result<bool, Problem> {
    let Some(key) = key? else {
        return Ok(false);
    };
    tracing::Span::current().record("key", &*key.name);
    note_key(&key.name);
    if key.scope < needed {
        let found = key.scope;
        return Err(Problem::Scope { found, needed });
    }
    Ok(true)
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
