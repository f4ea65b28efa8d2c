//! The scope that an operation needs.

use axum::http::Method;

use crate::api::guard::scope::Scope;
use crate::api::middleware::access::is_protected;

/// The path of the metrics, which `--open-metrics` opens.
pub(crate) const METRICS: &str = "/metrics";

/// The path of the session, which any key may begin and end.
const SESSION: &str = "/session";

/// The scope that an operation needs; `None` if it needs no key. What is unknown needs one, so that only those who may use the
/// service learn what exists.
///
/// The page and its files are open, because a key is typed in there. They are the same in every service.
pub(crate) fn needed_scope(method: &Method, path: &str) -> Option<Scope> {
    let is_page = path == "/" || path.starts_with("/assets/");
    if path.starts_with("/health/") || (is_page && method.is_safe()) {
        None
    } else if path == SESSION || !is_protected(method, path) {
        Some(Scope::Use)
    } else if is_model(path) {
        Some(Scope::Admin)
    } else {
        Some(Scope::Train)
    }
}

/// Whether the path is that of a model itself, and not of something in it.
fn is_model(path: &str) -> bool {
    let name = path.strip_prefix("/v1/models/");
    let name = name.map(|name| name.strip_suffix('/').unwrap_or(name));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_need_more_than_faces_and_unknown_paths_need_a_key() {
        for (method, path, scope) in [
            (Method::GET, "/", None),
            (Method::HEAD, "/assets/main.js", None),
            (Method::GET, "/health/ready", None),
            (Method::POST, "/", Some(Scope::Train)),
            (Method::GET, "/docs/", Some(Scope::Use)),
            (Method::GET, "/openapi.json", Some(Scope::Use)),
            (Method::GET, "/metrics", Some(Scope::Use)),
            (Method::GET, "/v1/nothing", Some(Scope::Use)),
            (Method::POST, "/v1/sample", Some(Scope::Use)),
            (Method::POST, "/v1/sample/", Some(Scope::Train)),
            (Method::POST, "/session", Some(Scope::Use)),
            (Method::POST, "/v1/models/phantom/report", Some(Scope::Train)),
            (
                Method::PUT,
                "/v1/models/phantom/boundaries/smile/w",
                Some(Scope::Train),
            ),
            (Method::DELETE, "/v1/jobs/1", Some(Scope::Train)),
            (Method::GET, "/v1/models/phantom", Some(Scope::Use)),
            (Method::PUT, "/v1/models/phantom", Some(Scope::Admin)),
            (Method::DELETE, "/v1/models/phantom/", Some(Scope::Admin)),
            (Method::PUT, "/v1/models/a%2Fboundaries", Some(Scope::Admin)),
        ] {
            assert_eq!(needed_scope(&method, path), scope, "{method} {path}");
        }
    }
}
