//! What a client takes: which of two kinds of answer its `Accept` prefers.

use axum::http::HeaderMap;
use headers::HeaderMapExt as _;
use headers_accept::Accept;
use mediatype::MediaType;
use mediatype::names::{APPLICATION, EVENT_STREAM, HTML, JSON, TEXT};

/// What most routes answer with.
pub(crate) static USUAL: [MediaType<'static>; 1] = [MediaType::new(APPLICATION, JSON)];

/// Events as they come.
pub(crate) static EVENTS: MediaType<'static> = MediaType::new(TEXT, EVENT_STREAM);

/// A page to look at.
pub(crate) static PAGE: MediaType<'static> = MediaType::new(TEXT, HTML);

/// Whether the client would rather have `wanted` than any of `others`, which it gets where it says nothing.
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
    use axum::http::{HeaderValue, header};

    use super::*;

    #[test]
    fn a_page_is_for_browsers_and_events_are_for_who_asks() {
        let prefers = |accept: &'static str, wanted| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            prefers(&headers, wanted, &USUAL)
        };
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(prefers(browser, &PAGE));
        assert!(prefers("text/html", &PAGE));
        assert!(prefers("text/event-stream", &EVENTS));
        assert!(!prefers(browser, &EVENTS));
        for accept in [
            "*/*",
            "application/json",
            "application/json, text/html;q=0.9",
            "text/html;q=0",
        ] {
            assert!(!prefers(accept, &PAGE), "{accept}");
        }
        assert!(!super::prefers(&HeaderMap::new(), &PAGE, &USUAL));
    }
}
