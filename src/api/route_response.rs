//! The response of an operation that makes several faces: complete in memory, or sent face by face.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::buffered_response::BufferedResponse;

/// A response that is complete, or one that is made while it is sent.
pub(crate) enum RouteResponse {
    Buffered(BufferedResponse),
    /// No cache may keep it.
    Streamed(Response),
}

impl RouteResponse {
    /// Whether it is an image.
    pub(crate) fn is_image(&self) -> bool {
        match self {
            Self::Buffered(response) => response.is_image(),
            Self::Streamed(_) => false,
        }
    }

    /// As [`BufferedResponse::uncached`].
    pub(crate) fn uncached(self) -> Response {
        match self {
            Self::Buffered(response) => response.uncached(),
            Self::Streamed(response) => response,
        }
    }

    /// As [`BufferedResponse::immutable`].
    pub(crate) fn immutable(self, request: &HeaderMap) -> Response {
        match self {
            Self::Buffered(response) => response.immutable(request),
            Self::Streamed(response) => response,
        }
    }

    /// As [`BufferedResponse::revalidated`].
    pub(crate) fn revalidated(self, request: &HeaderMap) -> Response {
        match self {
            Self::Buffered(response) => response.revalidated(request),
            Self::Streamed(response) => response,
        }
    }
}
