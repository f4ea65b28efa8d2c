//! Responses with a part of a list.

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The JSON response with one page of a list. If there is a `next` page, the header `Link` has its URL, relative to the
/// request's.
pub(crate) fn page(body: impl Serialize, limit: usize, next: Option<&str>) -> Response {
    let mut response = Json(body).into_response();
    if let Some(next) = next {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("limit", &limit.to_string())
            .append_pair("after", next);
        let link = format!("<?{}>; rel=\"next\"", query.finish());
        let link = HeaderValue::try_from(link).expect("an encoded query is ASCII");
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
