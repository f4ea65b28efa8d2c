//! Responses about many faces without pictures. They are written batch by batch, while the faces are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::IntoResponse as _;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::api::buffered_response::{file_name, of_model};
use crate::api::problem::Problem;
use crate::api::responses::edit::EditDirection;
use crate::api::responses::face::Face;
use crate::api::route_response::RouteResponse;
use crate::api::state::Api;
use crate::api::types::output_options::NumbersFormat;
use crate::catalog::NpzStream;
use crate::editor::{EditorError, FaceBatches, ManyFaces, MeasuredFace, Model};
use crate::latent::LatentSpace;

/// Starts the response about the faces of `request`. What is wrong with the request, or with its first batch, is an ordinary
/// error response. Later errors end the body before its end.
pub(crate) async fn respond(
    api: &Api,
    model: Arc<Model>,
    request: ManyFaces,
    format: NumbersFormat,
) -> Result<RouteResponse, Problem> {
    api.memory.check_room()?;
    let turn = Arc::clone(&api.many_faces).acquire_owned().await;
    let turn = turn.expect("nobody closes the semaphore");
    let mut batches = FaceBatches::new(Arc::clone(&model), request).await?;
    let first = batches.next().await.transpose()?;
    let writer = Writer::new(format, &model, &batches);
    let headers = [
        (header::CONTENT_TYPE, writer.media_type()),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept"),
    ];
    let running = Running {
        first,
        batches,
        writer: Some(writer),
        _turn: turn,
    };
    let body = Body::from_stream(stream::unfold(running, Running::next));
    let mut response = (headers, body).into_response();
    response.headers_mut().extend([of_model(&model)]);
    if format == NumbersFormat::Npz {
        let name = file_name(&format!("{}-faces.npz", model.name()));
        response.headers_mut().extend([name]);
    }
    Ok(RouteResponse::Streamed(response))
}

/// A response in progress. If the client closes the connection, it is dropped, and the rest is not made.
struct Running {
    first: Option<Vec<MeasuredFace>>,
    batches: FaceBatches,
    /// Missing after the end.
    writer: Option<Writer>,
    _turn: OwnedSemaphorePermit,
}

impl Running {
    async fn next(mut self) -> Option<(Result<Bytes, EditorError>, Self)> {
        let mut writer = self.writer.take()?;
        let faces = match self.first.take() {
            Some(faces) => Some(Ok(faces)),
            None => self.batches.next().await,
        };
        let piece = match faces {
            Some(Ok(faces)) => {
                let piece = writer.faces(faces);
                self.writer = Some(writer);
                piece
            }
            None => writer.end(&self.batches),
            Some(Err(error)) => {
                tracing::error!(cause = %error, "a response about many faces ends early");
                return Some((Err(error), self));
            }
        };
        Some((Ok(piece.into()), self))
    }
}

/// Writes the faces of a response.
enum Writer {
    Json(JsonText),
    Npz(Box<Arrays>),
}

impl Writer {
    fn new(format: NumbersFormat, model: &Model, batches: &FaceBatches) -> Self {
        match format {
            NumbersFormat::Json => Self::Json(JsonText::new(model, batches)),
            NumbersFormat::Npz => Self::Npz(Box::new(Arrays::new(batches))),
        }
    }

    fn media_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Npz(_) => "application/octet-stream",
        }
    }

    fn faces(&mut self, faces: Vec<MeasuredFace>) -> Vec<u8> {
        match self {
            Self::Json(text) => text.faces(faces),
            Self::Npz(arrays) => arrays.faces(faces),
        }
    }

    fn end(self, batches: &FaceBatches) -> Vec<u8> {
        match self {
            Self::Json(_) => JsonText::end(batches),
            Self::Npz(arrays) => arrays.end(),
        }
    }
}

/// The part of a JSON response before its faces.
#[derive(Serialize)]
struct Head<'a> {
    model: &'a str,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    positions: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    directions: Option<Vec<EditDirection>>,
}

struct JsonText {
    /// What stands before the next face.
    before: Vec<u8>,
}

impl JsonText {
    fn new(model: &Model, batches: &FaceBatches) -> Self {
        let is_edit = batches.request().edit.is_some();
        let head = Head {
            model: model.name(),
            digest: model.digest(),
            positions: is_edit.then(|| batches.request().positions()),
            directions: is_edit.then(|| batches.directions().into_iter().map(Into::into).collect()),
        };
        let mut before = serde_json::to_vec(&head).expect("texts and finite numbers are JSON");
        before.pop();
        before.extend(b",\"faces\":[");
        Self { before }
    }

    fn faces(&mut self, faces: Vec<MeasuredFace>) -> Vec<u8> {
        let mut piece = Vec::new();
        for face in faces {
            piece.append(&mut self.before);
            serde_json::to_writer(&mut piece, &Face::measured(face)).expect("a code is JSON");
            self.before.push(b',');
        }
        piece
    }

    fn end(batches: &FaceBatches) -> Vec<u8> {
        let warnings: Vec<String> = batches.warnings().iter().map(ToString::to_string).collect();
        let warnings = serde_json::to_string(&warnings).expect("texts are JSON");
        format!("],\"warnings\":{warnings}}}").into_bytes()
    }
}

/// The arrays of a `.npz` file. Scores and distances are kept until all codes are written: they are a few numbers a face.
struct Arrays {
    npz: NpzStream,
    count: usize,
    has_codes: bool,
    scores: Columns<f32>,
    distances: Columns<f64>,
}

impl Arrays {
    fn new(batches: &FaceBatches) -> Self {
        let (request, mut npz) = (batches.request(), NpzStream::default());
        let seeds: Option<Vec<i64>> = request.seeds().map(|seed| seed.map(i64::from)).collect();
        if let Some(seeds) = seeds {
            npz.add_i8("seeds", &[seeds.len()], &seeds);
        }
        let positions = request.positions();
        if !positions.is_empty() {
            npz.add_f8("positions", &[positions.len()], &positions);
        }
        Self {
            npz,
            count: request.count(),
            has_codes: false,
            scores: Columns::default(),
            distances: Columns::default(),
        }
    }

    fn faces(&mut self, faces: Vec<MeasuredFace>) -> Vec<u8> {
        for face in faces {
            let (rows, dim) = face.code.values().dim();
            if !self.has_codes {
                let (name, shape) = match face.code.space() {
                    LatentSpace::Z => ("z", vec![self.count, dim]),
                    LatentSpace::W => ("w", vec![self.count, dim]),
                    LatentSpace::WPlus => ("w_plus", vec![self.count, rows, dim]),
                    LatentSpace::S => ("s", vec![self.count, dim]),
                };
                self.npz.begin_f4(name, &shape);
                self.has_codes = true;
            }
            self.npz.extend_f4(face.code.values().iter().copied());
            self.scores.push(&face.scores, f32::NAN);
            self.distances.push(&face.distances, f64::NAN);
        }
        self.npz.take()
    }

    fn end(mut self) -> Vec<u8> {
        let Columns { names, values } = self.scores;
        self.npz.begin_f4("scores", &[self.count, names.len()]);
        self.npz.extend_f4(values);
        self.npz.add_texts("attributes", &[names.len()], &names);
        let Columns { names, values } = self.distances;
        self.npz.add_f8("distances", &[self.count, names.len()], &values);
        self.npz.add_texts("boundaries", &[names.len()], &names);
        self.npz.finish()
    }
}

/// Named numbers of each face as rows of a matrix. The first face names the columns, in alphabetical order.
#[derive(Default)]
struct Columns<T> {
    names: Vec<String>,
    values: Vec<T>,
}

impl<T: Copy> Columns<T> {
    /// Adds a face. A boundary that was deleted meanwhile leaves `missing`.
    fn push(&mut self, numbers: &BTreeMap<String, T>, missing: T) {
        if self.values.is_empty() {
            self.names = numbers.keys().cloned().collect();
        }
        let number = |name| numbers.get(name).copied().unwrap_or(missing);
        self.values.extend(self.names.iter().map(number));
    }
}
