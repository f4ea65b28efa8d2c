//! Content negotiation: which media type of a response `Accept` prefers.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, EVENT_STREAM, HTML, JSON, TEXT};

use crate::api::problem::Problem;

/// The media types of routes that respond with JSON by default.
pub(crate) static JSON_ONLY: [MediaType<'static>; 1] = [MediaType::new(APPLICATION, JSON)];

/// A stream of server-sent events.
pub(crate) static EVENTS: MediaType<'static> = MediaType::new(TEXT, EVENT_STREAM);

/// An HTML page.
pub(crate) static HTML_PAGE: MediaType<'static> = MediaType::new(TEXT, HTML);

/// The largest `Accept`, in bytes. It is parsed on the async threads. Those of browsers have about 150 bytes.
const LARGEST_ACCEPT: usize = 1024;

/// Refuses a request with a large `Accept`.
pub(crate) async fn limit_accept(request: Request, next: Next) -> Result<Response, Problem> {
    let values = request.headers().get_all(header::ACCEPT).iter();
    let found = values.map(HeaderValue::len).sum();
    if found > LARGEST_ACCEPT {
        let limit = LARGEST_ACCEPT;
        return Err(Problem::AcceptTooLarge { found, limit });
    }
    Ok(next.run(request).await)
}

/// Whether `Accept` prefers `wanted` to each of `others`. Without `Accept`, it does not.
pub(crate) fn prefers(
    headers: &HeaderMap,
    wanted: &MediaType<'static>,
    others: &[MediaType<'static>],
) -> bool {
    let accept = headers.typed_get::<Accept>();
    let chosen = accept.as_ref().and_then(|accept| {
        let offered = others.iter().chain([wanted]);
        accept.negotiate(offered)
    });
    chosen == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_browsers_get_a_page_and_only_clients_that_name_events_get_events() {
        let prefers = |accept: &'static str, wanted| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            prefers(&headers, wanted, &JSON_ONLY)
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(prefers(browser, &HTML_PAGE));
        assert!(prefers("text/html", &HTML_PAGE));
        assert!(prefers("text/event-stream", &EVENTS));
        assert!(!prefers(browser, &EVENTS));
        for accept in [
            "*/*",
            "application/json",
            "application/json, text/html;q=0.9",
            "text/html;q=0",
        ] {
            assert!(!prefers(accept, &HTML_PAGE), "{accept}");
        }
        assert!(!super::prefers(&HeaderMap::new(), &HTML_PAGE, &JSON_ONLY));
    }
}
