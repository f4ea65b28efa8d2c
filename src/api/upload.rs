//! Requests with an image: JSON with the image in base64, a form with a file, or the image's bytes alone.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::{StatusCode, header};
use futures_util::FutureExt as _;

use crate::api::decode::text;
use crate::api::held_bytes::held;
use crate::api::problem::Problem;
use crate::api::received_body::ReceivedBody;
use crate::api::request_body::{is_json, read_json};
use crate::api::state::Api;
use crate::api::types::base64::longest;
use crate::api::types::uploaded_image::{HasImage, LARGEST_IMAGE, UploadedImage};

/// The largest body: an image in base64, and 64 KiB of other fields.
pub(crate) const LARGEST_BODY: usize = longest(LARGEST_IMAGE) + 64 * 1024;

/// The part of a form that is the image.
const FILE: &str = "file";

/// The most other parts of a form.
const MOST_PARTS: usize = 256;

/// Reads a request. A JSON body has every field. An image as the body leaves the other fields to the URL, and a form has them as
/// its other parts, or in the URL.
pub(crate) async fn read<T: HasImage + Send + 'static>(request: Request, api: &Api) -> Result<T, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("missing", |kind| kind.to_str().unwrap_or("unreadable"));
    let query = request.uri().query().unwrap_or_default().to_owned();
    if is_json(kind) {
        if !query.is_empty() {
            let reason = "found options in the URL beside a JSON body, expected them in the body";
            return Err(Problem::field("URL", reason));
        }
        let (mut input, memory): (T, _) = read_json(request, api, LARGEST_BODY).await?;
        if let Some(UploadedImage(file)) = input.take_image() {
            input.set_image(UploadedImage(held(file, memory)));
        }
        return Ok(input);
    }
    let (file, parts) = if kind.starts_with("multipart/form-data") {
        read_form(request, api).await?
    } else if kind.starts_with("image/") || kind == "application/octet-stream" {
        let file = ReceivedBody::of(request, api, LARGEST_IMAGE).await?;
        (file.into_bytes(), Vec::new())
    } else {
        return Err(Problem::MediaType {
            found: kind.to_owned(),
            expected: "application/json, with curl: --json '{…}'; or an image, with curl: -F file=@photo.jpg, or: \
                       -H 'Content-Type: image/jpeg' --data-binary @photo.jpg",
        });
    };
    let in_url = form_urlencoded::parse(query.as_bytes());
    let in_form = parts
        .into_iter()
        .map(|(name, text)| (Cow::Owned(name), Cow::Owned(text)));
    let mut input: T = text::pairs(in_url.chain(in_form))?;
    input.set_image(UploadedImage(file));
    Ok(input)
}

/// A form's file, and the names and texts of its other parts.
type Form = (Bytes, Vec<(String, String)>);

/// Reads a form. It is parsed when it has arrived, because parsing it in pieces takes quadratic time for some bodies.
async fn read_form(request: Request, api: &Api) -> Result<Form, Problem> {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head.clone(), body);
    let mut body = ReceivedBody::of(request, api, LARGEST_BODY).await?;
    // The parser copies the body.
    body.reserve_decoded()?;
    api.decode_large(move || {
        let (bytes, mut memory) = body.into_parts();
        let form = Request::from_parts(head, Body::from(bytes));
        let parsed = parse_form(form).now_or_never();
        let (file, texts) = parsed.expect("a body in memory never waits")?;
        memory.shrink_to(file.len());
        Ok((held(file, memory), texts))
    })
    .await
}

async fn parse_form(form: Request) -> Result<Form, Problem> {
    let form = Multipart::from_request(form, &()).await;
    let mut form = form.map_err(|_| Problem::Undecodable {
        reason: "found the Content-Type multipart/form-data without its boundary, expected multipart/form-data; boundary=…, which \
                 curl's -F writes"
            .to_owned(),
    })?;
    let (mut file, mut parts) = (None, Vec::new());
    while let Some(part) = form.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name != FILE {
            if parts.len() == MOST_PARTS {
                let reason = format!("found more than {MOST_PARTS} fields, expected at most {MOST_PARTS}");
                return Err(Problem::field("form", reason));
            }
            // `part.text()` would drop a byte order mark, and replace what is no UTF-8.
            let text = part.bytes().await.map_err(broken)?.to_vec();
            let text = String::from_utf8(text)
                .map_err(|_| Problem::field(name.clone(), "found bytes that are not UTF-8, expected text"))?;
            parts.push((name, text));
        } else if file.replace(part.bytes().await.map_err(broken)?).is_some() {
            return Err(Problem::field(FILE, "found several files, expected one image"));
        }
    }
    let missing = || {
        let reason = "missing, expected an image file; with curl: -F file=@photo.jpg";
        Problem::field(FILE, reason)
    };
    Ok((file.ok_or_else(missing)?, parts))
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::BodyTooLarge { limit: LARGEST_BODY };
    }
    Problem::Undecodable {
        reason: "found a form that breaks off, or a part without complete headers; expected --boundary, headers and content for each \
                 part, and --boundary-- at the end"
            .to_owned(),
    }
}
