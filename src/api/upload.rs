//! Requests with an image: JSON with the image in base64, a form with a file, or the image's bytes alone.

use axum::extract::Request;
use axum::http::header;

use crate::api::decode::text;
use crate::api::form_body::{FormFile, is_form, read_form};
use crate::api::held_bytes::held;
use crate::api::problem::Problem;
use crate::api::received_body::ReceivedBody;
use crate::api::request_body::{is_json, read_json};
use crate::api::state::Api;
use crate::api::types::base64::longest;
use crate::api::types::uploaded_image::{HasImage, LARGEST_IMAGE, UploadedImage};

/// The largest body: an image in base64, and 64 KiB of other fields.
pub(crate) const LARGEST_BODY: usize = longest(LARGEST_IMAGE) + 64 * 1024;

/// The image of a form.
const IMAGE: FormFile = FormFile {
    limit: LARGEST_BODY,
    expected: "one image file; with curl: -F file=@photo.jpg",
};

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
    let (file, parts) = if is_form(kind) {
        read_form(request, api, IMAGE).await?
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
    let mut input: T = text::url_and_form(&query, parts)?;
    input.set_image(UploadedImage(file));
    Ok(input)
}
