//! Encodes faces as a response: images and JSON are written off the async threads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tokio::task::JoinError;

use crate::api::archive::archive;
use crate::api::buffered_response::BufferedResponse;
use crate::api::image_metadata::ImageMetadata;
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::responses;
use crate::api::types::output_options::Format;
use crate::editor::{EditorError, Face, Model};
use crate::engine::Timings;
use crate::imaging::ImagingError;
use crate::metrics::Metrics;
use crate::trace::{Step, current_span};

/// Faces to encode, and how.
pub(crate) struct Encoding<'a> {
    pub(crate) model: Arc<Model>,
    /// The faces, in the order of the response.
    pub(crate) faces: Vec<Face>,
    pub(crate) output: Output,
    pub(crate) metadata: ImageMetadata,
    /// The key of the response in the cache, if it is for the cache, so that it needs an `ETag`.
    pub(crate) cache_key: Option<String>,
    /// The time that the faces took.
    pub(crate) timings: Timings,
    pub(crate) metrics: &'a Metrics,
}

impl Encoding<'_> {
    /// The response: one image of all faces, an archive of their images, or the JSON document that `document` makes of them.
    pub(crate) async fn encode<T: Serialize>(
        self,
        document: impl FnOnce(Vec<responses::face::Face>, &Model) -> Result<T, ImagingError> + Send + 'static,
    ) -> Result<BufferedResponse, Problem> {
        let Self {
            model,
            faces,
            output,
            cache_key,
            timings,
            metrics,
            metadata,
        } = self;
        let (started, images) = (Instant::now(), faces.len());
        let tag = TagSource::of(cache_key, metadata.is_signed(output.metadata));
        let response = match output.format {
            Format::Json | Format::Npz => {
                let media_type = output.image_format.media_type();
                let in_base64 =
                    move |face, file| responses::face::Face::new(face, STANDARD.encode(file), media_type);
                let faces = encode_each(faces, output, &Arc::new(metadata), in_base64).await?;
                let write = move || Ok(tag.tagged(BufferedResponse::json(&document(faces, &model)?, &model)));
                off_thread(write).await?
            }
            _ if output.is_zipped() => {
                let named = |face: Face, file| (face.seed, file);
                let files = encode_each(faces, output, &Arc::new(metadata), named).await?;
                let write = move || {
                    let archive = archive(&with_names(files, output))?;
                    Ok(tag.tagged(BufferedResponse::zip(archive, &model)))
                };
                off_thread(write).await?
            }
            format => {
                let encode = move || {
                    let image = encode_image(faces, output, &metadata)?;
                    Ok(tag.tagged(BufferedResponse::image(format, image, &model)))
                };
                off_thread(encode).await?
            }
        };
        let encoding = started.elapsed();
        metrics.encoded(encoding);
        if let Some(span) = current_span() {
            span.add(&Step {
                name: "encode",
                network: None,
                started,
                duration: encoding,
                units: images,
                error: None,
            });
        }
        Ok(response.with_timings(&timings, encoding))
    }
}

/// What the `ETag` of a response is made of.
enum TagSource {
    /// It has none.
    None,
    /// Its body.
    Body,
    /// The key of the response in the cache, because its files are signed: they have other bytes each time.
    Key(String),
}

impl TagSource {
    fn of(cache_key: Option<String>, is_signed: bool) -> Self {
        match cache_key {
            None => Self::None,
            Some(key) if is_signed => Self::Key(key),
            Some(_) => Self::Body,
        }
    }

    fn tagged(self, response: BufferedResponse) -> BufferedResponse {
        match self {
            Self::None => response,
            Self::Body => response.with_etag(),
            Self::Key(key) => response.with_etag_of(&key),
        }
    }
}

/// The file of one image with all faces.
fn encode_image(faces: Vec<Face>, output: Output, metadata: &ImageMetadata) -> Result<Vec<u8>, ImagingError> {
    if let [face] = &faces[..] {
        return metadata.encode(&face.image, Some(&face.code), output);
    }
    let images: Vec<_> = faces.into_iter().map(|face| face.image).collect();
    metadata.encode_all(&images, output)
}

/// The names of files in an archive: by the place in a table, by the seeds if each face has one of its own, or by their numbers.
fn with_names(files: Vec<(Option<u32>, Vec<u8>)>, output: Output) -> Vec<(String, Vec<u8>)> {
    let seeds: BTreeSet<u32> = files.iter().filter_map(|(seed, _)| *seed).collect();
    let by_seed = seeds.len() == files.len();
    let digits = files.len().saturating_sub(1).to_string().len();
    let extension = output.format.media_type().trim_start_matches("image/");
    let name = |(index, (seed, file)): (usize, (Option<u32>, _))| {
        let name = match (output.columns(), seed) {
            (Some(columns), seed) => name_in_table(index, columns, seed),
            (None, Some(seed)) if by_seed => format!("seed{seed}"),
            (None, _) => format!("face{index:0digits$}"),
        };
        (format!("{name}.{extension}"), file)
    };
    files.into_iter().enumerate().map(name).collect()
}

/// The name of a file in a table: `column1-seed55`, `row0-seed85`, and `row0-column1` for their mixture.
fn name_in_table(index: usize, columns: usize, seed: Option<u32>) -> String {
    let seed = seed.map_or_else(String::new, |seed| format!("-seed{seed}"));
    // The first place has no face.
    let (row, column) = ((index + 1) / (columns + 1), (index + 1) % (columns + 1));
    match (row, column) {
        (0, column) => format!("column{}{seed}", column - 1),
        (row, 0) => format!("row{}{seed}", row - 1),
        (row, column) => format!("row{}-column{}", row - 1, column - 1),
    }
}

/// Encodes each face as a file of its own, all in parallel. `finish` makes an element of the result of the face and its file.
pub(crate) async fn encode_each<T: Send + 'static>(
    faces: Vec<Face>,
    output: Output,
    metadata: &Arc<ImageMetadata>,
    finish: impl Fn(Face, Vec<u8>) -> T + Copy + Send + 'static,
) -> Result<Vec<T>, Problem> {
    let encode = |face: Face| {
        let metadata = Arc::clone(metadata);
        tokio::spawn(off_thread(move || {
            let file = metadata.encode(&face.image, Some(&face.code), output)?;
            Ok(finish(face, file))
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
