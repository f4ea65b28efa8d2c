//! The page at `/`, which edits faces in a browser: plain HTML, CSS and JavaScript modules, compiled in.
//!
//! The page uses the service's own operations only. All its URLs are relative, so that the service may stand behind a path prefix.
//!
//! | to find | look in |
//! | --- | --- |
//! | the page, and what its controls do | `files/index.html`, `files/main.js`, `files/dom.js` |
//! | what is shown, as requests and as a link | `files/face_state.js` |
//! | the calls to the service | `files/service.js` |
//! | the key of the service, where it wants one | `files/session.js` |
//! | one request at a time, the newest next | `files/latest_only.js` |
//! | what the service says of a model | `files/page_model.js` |
//! | the large image; the sliders | `files/portrait.js`, `files/sliders.js` |
//! | the trajectory and the gallery, rows of faces | `files/trajectory.js`, `files/gallery.js`, `files/faces_list.js` |
//! | undo and redo | `files/history.js` |
//! | how a PNG leads back to its state | `files/opened_file.js`, `files/png_text.js` |
//! | pictures, training, style mixing | `files/photo_dialog.js`, `files/training_dialog.js`, `files/style_mixing.js` |

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::api::middleware::browser_headers::STRICT_PAGE;
use crate::api::page_file::PageFile;
use crate::api::problem::Problem;
use crate::api::state::Api;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The files: name, media type, content.
const SOURCES: &[(&str, &str, &str)] = &[
    ("index.html", HTML, include_str!("files/index.html")),
    ("style.css", CSS, include_str!("files/style.css")),
    ("icon.svg", SVG, include_str!("files/icon.svg")),
    ("main.js", SCRIPT, include_str!("files/main.js")),
    ("dom.js", SCRIPT, include_str!("files/dom.js")),
    ("face_state.js", SCRIPT, include_str!("files/face_state.js")),
    ("faces_list.js", SCRIPT, include_str!("files/faces_list.js")),
    ("gallery.js", SCRIPT, include_str!("files/gallery.js")),
    ("history.js", SCRIPT, include_str!("files/history.js")),
    ("latest_only.js", SCRIPT, include_str!("files/latest_only.js")),
    ("opened_file.js", SCRIPT, include_str!("files/opened_file.js")),
    ("page_model.js", SCRIPT, include_str!("files/page_model.js")),
    ("photo_dialog.js", SCRIPT, include_str!("files/photo_dialog.js")),
    ("png_text.js", SCRIPT, include_str!("files/png_text.js")),
    ("portrait.js", SCRIPT, include_str!("files/portrait.js")),
    ("service.js", SCRIPT, include_str!("files/service.js")),
    ("session.js", SCRIPT, include_str!("files/session.js")),
    ("sliders.js", SCRIPT, include_str!("files/sliders.js")),
    ("style_mixing.js", SCRIPT, include_str!("files/style_mixing.js")),
    (
        "training_dialog.js",
        SCRIPT,
        include_str!("files/training_dialog.js"),
    ),
    ("trajectory.js", SCRIPT, include_str!("files/trajectory.js")),
];

static FILES: LazyLock<BTreeMap<&str, PageFile>> = LazyLock::new(|| {
    let file = |&(name, media_type, content): &(&'static str, &'static str, &'static str)| {
        let content = Bytes::from_static(content.as_bytes());
        (name, PageFile::new(content, media_type, STRICT_PAGE))
    };
    SOURCES.iter().map(file).collect()
});

/// The routes of the page.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/", get(async |headers| file("index.html", &headers)))
        .route(
            "/assets/{file}",
            get(async |Path(name): Path<String>, headers| file(&name, &headers)),
        )
}

fn file(name: &str, request: &HeaderMap) -> Response {
    match FILES.get(name) {
        Some(file) => file.response(request),
        None => Problem::NoRoute {
            path: format!("/assets/{name}"),
        }
        .into_response(),
    }
}
