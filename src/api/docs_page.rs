//! The page at `/docs`, which shows the OpenAPI document: Swagger UI, out of the archive that is compiled in.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

use crate::api::middleware::browser_headers::OWN_SCRIPTS;
use crate::api::page_file::PageFile;
use crate::api::problem::Problem;
use crate::api::state::Api;

/// The files of the archive that the page consists of, with their media types.
const ARCHIVED: &[(&str, &str)] = &[
    ("index.html", "text/html; charset=utf-8"),
    ("index.css", "text/css"),
    ("swagger-ui.css", "text/css"),
    ("swagger-ui-bundle.js", "text/javascript"),
    ("swagger-ui-standalone-preset.js", "text/javascript"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];

/// Starts Swagger UI with the document of this service.
const INITIALIZER: &str = r##"window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "../openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: "none",
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "StandaloneLayout"
  });
};
"##;

/// The files of the page. Unpacking them takes some 20 ms.
static FILES: LazyLock<BTreeMap<&str, PageFile>> = LazyLock::new(unpack);

/// The routes of the page. All its files come from this program.
pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/docs", get(|| async { Redirect::to("docs/") }))
        .route("/docs/", get(|headers| file("index.html".to_owned(), headers)))
        .route(
            "/docs/{*file}",
            get(|Path(name): Path<String>, headers| file(name, headers)),
        )
}

async fn file(name: String, request: HeaderMap) -> Response {
    let unpacked = tokio::task::spawn_blocking(|| LazyLock::force(&FILES));
    let files = unpacked.await.expect("the archive was tested with the program");
    let Some(file) = files.get(&*name) else {
        let path = format!("/docs/{name}");
        return Problem::NoRoute { path }.into_response();
    };
    file.response(&request)
}

fn unpack() -> BTreeMap<&'static str, PageFile> {
    let whole = "the archive of Swagger UI is whole";
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).expect(whole);
    let top = archive.name_for_index(0).expect(whole).expect(whole).into_owned();
    let mut files = BTreeMap::new();
    for &(name, media_type) in ARCHIVED {
        let mut entry = archive.by_name(&format!("{top}dist/{name}")).expect(whole);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect(whole);
        files.insert(name, PageFile::new(content.into(), media_type, OWN_SCRIPTS));
    }
    let content = Bytes::from_static(INITIALIZER.as_bytes());
    files.insert(
        "swagger-initializer.js",
        PageFile::new(content, "text/javascript", OWN_SCRIPTS),
    );
    files
}
