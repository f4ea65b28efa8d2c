//! A file of a web page that is compiled in.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};

use crate::api::buffered_response::{Strength, entity_tag};

/// A file of a page: browsers keep it, and ask each time whether it is still valid. Most are texts, which may be compressed.
pub(crate) struct PageFile {
    content: Bytes,
    media_type: HeaderValue,
    policy: HeaderValue,
    tag: ETag,
}

impl PageFile {
    /// A file with a `Content-Security-Policy`.
    pub(crate) fn new(content: Bytes, media_type: &'static str, policy: HeaderValue) -> Self {
        let tag = entity_tag(&content, Strength::Weak);
        Self {
            content,
            media_type: HeaderValue::from_static(media_type),
            policy,
            tag,
        }
    }

    /// The response to a request with these headers.
    pub(crate) fn response(&self, request: &HeaderMap) -> Response {
        let known = request.typed_get::<IfNoneMatch>();
        let mut response = match known {
            Some(known) if !known.precondition_passes(&self.tag) => StatusCode::NOT_MODIFIED.into_response(),
            _ => self.content.clone().into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.media_type.clone());
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.typed_insert(self.tag.clone());
        response
    }
}
