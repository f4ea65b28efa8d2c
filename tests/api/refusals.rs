//! The check of a refused request: its status, its document, and what the document says.

use crate::support::Response;

/// Statuses of problems, as tables of cases call them.
pub(crate) const UNDECODABLE: u16 = 400;
pub(crate) const UNKNOWN: u16 = 404;
pub(crate) const VALUE: u16 = 422;

pub(crate) fn check(name: &str, response: &Response, status: u16, says: &str) {
    let text = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status.as_u16(), status, "{name}: {text}");
    assert_eq!(
        response.header("content-type"),
        Some("application/problem+json"),
        "{name}"
    );
    let problem = response.json();
    assert_eq!(problem["status"], status, "{name}");
    assert_eq!(
        problem["request_id"].as_str(),
        response.header("x-request-id"),
        "{name}"
    );
    let detail = problem["detail"].as_str().unwrap();
    for word in [
        "invalid type",
        "invalid value",
        "sequence",
        "EOF",
        "f32",
        "f64",
        "u32",
    ] {
        assert!(
            !detail.contains(word),
            "{name} says {word:?}, a word of a library: {detail}"
        );
    }
    assert!(
        detail.contains(says),
        "{name} should say {says:?}, says: {detail}"
    );
}
