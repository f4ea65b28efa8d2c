//! Bodies that may bring a picture: JSON with the picture in base64, a form with a file, or the picture's bytes alone.

use axum::body::Bytes;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use crate::api::problem::Problem;
use crate::api::request_body::{is_json, json, query, unread};
use crate::api::types::picture_file::{LARGEST_PICTURE, PictureFile};

/// Largest body: a picture in base64, and what is asked of it.
pub(crate) const LARGEST_BODY: usize = LARGEST_PICTURE / 3 * 4 + 64 * 1024;

/// The part of a form that is the picture.
const PART: &str = "file";

/// A body that has a place for a picture, and of which a URL can say the rest.
pub(crate) trait Pictured: DeserializeOwned + Send + 'static {
    /// What a URL says.
    type Query: DeserializeOwned;

    /// The body that the URL asks for.
    fn asked(query: Self::Query) -> Result<Self, Problem>;

    /// The picture's place.
    fn image(&mut self) -> &mut Option<PictureFile>;
}

/// Reads a body and its picture, if it has one. A JSON body says everything itself; beside a picture the URL, or the other
/// parts of the form, say the rest.
pub(crate) async fn read<B: Pictured>(request: Request) -> Result<B, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("missing", |kind| kind.to_str().unwrap_or("unreadable"));
    let asked = request.uri().query().unwrap_or_default().to_owned();
    if is_json(kind) {
        if !asked.is_empty() {
            let reason = "beside a JSON body the URL has no options; put them into the body";
            return Err(Problem::field("", reason));
        }
        return json(request, &(), LARGEST_BODY).await;
    }
    let (asked, file) = if kind.starts_with("multipart/form-data") {
        from_form(request, asked).await?
    } else if kind.starts_with("image/") || kind == "application/octet-stream" {
        let file = Bytes::from_request(request, &()).await;
        (
            asked,
            file.map_err(|rejection| unread(rejection, LARGEST_PICTURE))?,
        )
    } else {
        return Err(Problem::MediaType {
            found: kind.to_owned(),
            expected: "application/json, with curl: --json '{…}'; or a picture, with curl: -F file=@photo.jpg, or: \
                       -H 'Content-Type: image/jpeg' --data-binary @photo.jpg",
        });
    };
    let mut body = B::asked(query(&asked)?)?;
    *body.image() = Some(PictureFile(file));
    Ok(body)
}

/// A form's file, and what the URL and the form's other parts ask for, as one query string.
async fn from_form(request: Request, mut asked: String) -> Result<(String, Bytes), Problem> {
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|rejection| Problem::Undecodable {
        reason: rejection.body_text(),
    })?;
    let (mut file, mut fields) = (None, Vec::new());
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name != PART {
            fields.push((name, part.text().await.map_err(broken)?));
        } else if file.replace(part.bytes().await.map_err(broken)?).is_some() {
            return Err(Problem::field(PART, "found several files, expected one picture"));
        }
    }
    let file = file.ok_or_else(|| {
        Problem::field(
            PART,
            "missing, expected a picture file; with curl: -F file=@photo.jpg",
        )
    })?;
    let fields = serde_html_form::to_string(&fields).map_err(|error| Problem::Undecodable {
        reason: format!("the form's fields: {error}"),
    })?;
    if !asked.is_empty() && !fields.is_empty() {
        asked.push('&');
    }
    Ok((asked + &fields, file))
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::BodyTooLarge { limit: LARGEST_BODY };
    }
    Problem::Undecodable {
        reason: error.body_text(),
    }
}
