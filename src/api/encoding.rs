//! Encodes faces as a response: images and JSON are written off the async threads.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tokio::task::JoinError;

use crate::api::buffered_response::BufferedResponse;
use crate::api::image_metadata::ImageMetadata;
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::responses;
use crate::api::types::output_options::Format;
use crate::editor::{EditorError, Face, Model};
use crate::engine::Timings;
use crate::imaging::{ImagingError, encode_png};
use crate::metrics::Metrics;

/// Faces to encode, and how.
pub(crate) struct Encoding<'a> {
    pub(crate) model: Arc<Model>,
    /// The faces, in the order of the response.
    pub(crate) faces: Vec<Face>,
    pub(crate) output: Output,
    pub(crate) metadata: ImageMetadata,
    /// Whether the response is for the cache, so that it needs an `ETag`.
    pub(crate) cacheable: bool,
    /// The time that the faces took.
    pub(crate) timings: Timings,
    pub(crate) metrics: &'a Metrics,
}

impl Encoding<'_> {
    /// The response: one image of all faces, or the JSON document that `document` makes of them.
    pub(crate) async fn encode<T: Serialize>(
        self,
        document: impl FnOnce(Vec<responses::face::Face>, &Model) -> Result<T, ImagingError> + Send + 'static,
    ) -> Result<BufferedResponse, Problem> {
        let Self {
            model,
            faces,
            output,
            cacheable,
            timings,
            metrics,
            metadata,
        } = self;
        let started = Instant::now();
        let response = match output.format {
            Format::Png | Format::Jpeg | Format::Webp | Format::Gif => {
                let encode = move || {
                    let image = encode_image(faces, output, &metadata)?;
                    Ok(BufferedResponse::image(output.format, image, &model))
                };
                off_thread(with_etag(encode, cacheable)).await?
            }
            Format::Json => {
                let faces = encode_each(faces, output, metadata).await?;
                let write = move || Ok(BufferedResponse::json(&document(faces, &model)?, &model));
                off_thread(with_etag(write, cacheable)).await?
            }
        };
        let encoding = started.elapsed();
        metrics.encoded(encoding);
        Ok(response.with_timings(&timings, encoding))
    }
}

/// The same work, with an `ETag` for its response if it is `cacheable`.
fn with_etag(
    work: impl FnOnce() -> Result<BufferedResponse, ImagingError>,
    cacheable: bool,
) -> impl FnOnce() -> Result<BufferedResponse, ImagingError> {
    move || {
        let response = work()?;
        Ok(if cacheable { response.with_etag() } else { response })
    }
}

/// The file of one image with all faces.
fn encode_image(faces: Vec<Face>, output: Output, metadata: &ImageMetadata) -> Result<Vec<u8>, ImagingError> {
    if let [face] = &faces[..] {
        return output.encode(&face.image, &metadata.of_file(Some(face), output.metadata));
    }
    let metadata = metadata.of_file(None, output.metadata);
    let images: Vec<_> = faces.into_iter().map(|face| face.image).collect();
    output.encode_all(&images, &metadata)
}

/// The faces of a JSON response. Their PNGs are encoded in parallel.
async fn encode_each(
    faces: Vec<Face>,
    output: Output,
    metadata: ImageMetadata,
) -> Result<Vec<responses::face::Face>, Problem> {
    let metadata = Arc::new(metadata);
    let encode = |face: Face| {
        let metadata = Arc::clone(&metadata);
        tokio::spawn(off_thread(move || {
            let metadata = metadata.of_file(Some(&face), output.metadata);
            let file = encode_png(&face.image, output.compression.into(), &metadata)?;
            Ok(responses::face::Face::new(face, STANDARD.encode(file)))
        }))
    };
    let tasks: Vec<_> = faces.into_iter().map(encode).collect();
    let mut encoded = Vec::with_capacity(tasks.len());
    for task in tasks {
        encoded.push(task.await.map_err(|error| panicked(&error))??);
    }
    Ok(encoded)
}

/// Runs `work` on a thread for blocking work.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImagingError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done
        .map_err(|error| panicked(&error))?
        .map_err(EditorError::from)?)
}

fn panicked(error: &JoinError) -> Problem {
    Problem::Internal {
        reason: format!("encoding: {error}"),
    }
}
