//! The response of an operation that makes several faces: complete in memory, or sent face by face.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::{BufferedResponse, Reuse};

/// A response that is complete, or one that is made while it is sent.
pub(crate) enum RouteResponse {
    Buffered(BufferedResponse),
    /// No cache may keep it.
    Streamed(Response),
}

impl RouteResponse {
    /// As [`BufferedResponse::uncached`].
    pub(crate) fn uncached(self) -> Response {
        match self {
            Self::Buffered(response) => response.uncached(),
            Self::Streamed(response) => response,
        }
    }

    /// As [`BufferedResponse::reused`].
    pub(crate) fn reused(self, reuse: Reuse, request: &HeaderMap) -> Response {
        match self {
            Self::Buffered(response) => response.reused(reuse, request),
            Self::Streamed(response) => response,
        }
    }
}
