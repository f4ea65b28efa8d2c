//! Forms with a file: `multipart/form-data`, as curl's `-F` and a page's form send it.

use axum::body::{Body, Bytes};
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest as _, Multipart, Request};
use axum::http::StatusCode;
use futures_util::FutureExt as _;

use crate::api::held_bytes::held;
use crate::api::problem::Problem;
use crate::api::received_body::ReceivedBody;
use crate::api::state::Api;

/// The part of a form that is the file.
const FILE: &str = "file";

/// The most other parts of a form.
const MOST_PARTS: usize = 256;

/// A form's file, and the names and texts of its other parts.
pub(crate) type Form = (Bytes, Vec<(String, String)>);

/// What a form has to hold.
#[derive(Clone, Copy)]
pub(crate) struct FormFile {
    /// The most bytes of the form.
    pub(crate) limit: usize,
    /// The file, in words, for errors.
    pub(crate) expected: &'static str,
}

/// Whether a Content-Type is that of a form with files.
pub(crate) fn is_form(kind: &str) -> bool {
    kind.starts_with("multipart/form-data")
}

/// Reads a form. It is parsed when it has arrived, because parsing it in pieces takes quadratic time for some bodies.
pub(crate) async fn read_form(request: Request, api: &Api, file: FormFile) -> Result<Form, Problem> {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head.clone(), body);
    let mut body = ReceivedBody::of(request, api, file.limit).await?;
    // The parser copies the body.
    body.reserve_decoded()?;
    api.decode_large(move || {
        let (bytes, mut memory) = body.into_parts();
        let form = Request::from_parts(head, Body::from(bytes));
        let parsed = file.parse(form).now_or_never();
        let (file, texts) = parsed.expect("a body in memory never waits")?;
        memory.shrink_to(file.len());
        Ok((held(file, memory), texts))
    })
    .await
}

impl FormFile {
    async fn parse(self, form: Request) -> Result<Form, Problem> {
        let form = Multipart::from_request(form, &()).await;
        let mut form = form.map_err(|_| Problem::Undecodable {
            reason: "found the Content-Type multipart/form-data without its boundary, expected multipart/form-data; boundary=…, \
                     which curl's -F writes"
                .to_owned(),
        })?;
        let (mut file, mut parts) = (None, Vec::new());
        while let Some(part) = form.next_field().await.map_err(|error| self.broken(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == FILE {
                let found = part.bytes().await.map_err(|error| self.broken(&error))?;
                if file.replace(found).is_some() {
                    let reason = format!("found several files, expected {}", self.expected);
                    return Err(Problem::field(FILE, reason));
                }
                continue;
            }
            if parts.len() == MOST_PARTS {
                let reason = format!("found more than {MOST_PARTS} fields, expected at most {MOST_PARTS}");
                return Err(Problem::field("form", reason));
            }
            // `part.text()` would drop a byte order mark, and replace what is no UTF-8.
            let text = part.bytes().await.map_err(|error| self.broken(&error))?.to_vec();
            let text = String::from_utf8(text)
                .map_err(|_| Problem::field(name.clone(), "found bytes that are not UTF-8, expected text"))?;
            parts.push((name, text));
        }
        let missing = || Problem::field(FILE, format!("missing, expected {}", self.expected));
        Ok((file.ok_or_else(missing)?, parts))
    }

    fn broken(self, error: &MultipartError) -> Problem {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Problem::BodyTooLarge { limit: self.limit };
        }
        Problem::Undecodable {
            reason: "found a form that breaks off, or a part without complete headers; expected --boundary, headers and content for \
                     each part, and --boundary-- at the end"
                .to_owned(),
        }
    }
}
