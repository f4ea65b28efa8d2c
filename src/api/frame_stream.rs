//! Faces as a stream of image files, each sent as soon as it is made: `multipart/x-mixed-replace`.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::api::buffered_response::BufferedResponse;
use crate::api::encoding::encode_each;
use crate::api::held_bytes::held;
use crate::api::image_metadata::ImageMetadata;
use crate::api::output::Output;
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::timeout;
use crate::editor::{EditorError, FaceReceiver, FaceSender, Model, face_channel};
use crate::engine::{self, ByteBudget};
use crate::metrics::Metrics;
use crate::trace::carried;

/// The media type, with the text that separates two parts. A part has its length, so that no image can contain it.
const MEDIA_TYPE: &str = "multipart/x-mixed-replace; boundary=frame";

/// A stream of the faces of one request.
pub(crate) struct FrameStream {
    head: BufferedResponse,
    encoder: FrameEncoder,
    /// The timeout of the work. The timeout of the request ends with its headers, which are sent before most faces are made.
    limit: Duration,
}

impl FrameStream {
    /// The stream of the `frames` faces that `model` makes for a request with these `headers`.
    ///
    /// # Errors
    /// [`Problem`] if memory has no room for its images.
    pub(crate) fn new(
        api: &Api,
        headers: &HeaderMap,
        model: &Model,
        output: Output,
        metadata: ImageMetadata,
        frames: usize,
    ) -> Result<Self, Problem> {
        api.memory.check_room()?;
        Ok(Self {
            head: BufferedResponse::head(MEDIA_TYPE, model),
            encoder: FrameEncoder {
                output,
                metadata: Arc::new(metadata),
                frames,
                memory: api.memory.clone(),
                metrics: api.metrics.clone(),
            },
            limit: timeout::of_headers(headers, api.limits.timeout)?,
        })
    }

    /// Adds the seeds of the faces.
    pub(crate) fn with_seeds(self, seeds: impl IntoIterator<Item = u32>) -> Self {
        Self {
            head: self.head.with_seeds(seeds),
            ..self
        }
    }

    /// Starts `work`, which sends faces, and responds with them. A problem before the first face is an ordinary error response; a later
    /// one breaks the response off.
    ///
    /// The images wait in memory until the client takes them, as those of any response do. If it goes away, the work ends.
    pub(crate) async fn respond<F>(self, work: impl FnOnce(FaceSender) -> F) -> Result<Response, Problem>
    where
        F: Future<Output = Result<(), EditorError>> + Send + 'static,
    {
        let (sender, faces) = face_channel();
        let (parts_sender, mut parts) = unbounded_channel();
        let (work, limit) = (work(sender), self.limit);
        let encode = self.encoder.encode_all(faces, parts_sender);
        let mut tasks = JoinSet::new();
        tasks.spawn(carried(async move {
            let work = async { work.await.map_err(Problem::from) };
            let both = async { tokio::try_join!(work, encode).map(drop) };
            let done = engine::within(limit, both).await;
            done.unwrap_or(Err(Problem::Deadline { limit }))
        }));
        let first = parts.recv().await;
        if first.is_none() {
            result(&mut tasks).await?;
        }
        let running = RunningStream { first, parts, tasks };
        let body = Body::from_stream(stream::unfold(running, RunningStream::next));
        Ok(self.head.with_body(body))
    }
}

/// Encodes faces as the parts of a stream.
struct FrameEncoder {
    output: Output,
    metadata: Arc<ImageMetadata>,
    /// How many faces there will be.
    frames: usize,
    memory: ByteBudget,
    metrics: Metrics,
}

impl FrameEncoder {
    async fn encode_all(self, mut faces: FaceReceiver, parts: UnboundedSender<Bytes>) -> Result<(), Problem> {
        let (mut sent, mut encoding) = (0, Duration::ZERO);
        while let Some(made) = faces.next().await {
            let started = Instant::now();
            let files = encode_each(made?, self.output, &self.metadata, |_, file| file).await?;
            encoding += started.elapsed();
            for file in files {
                let part = self.part(&file, sent);
                let memory = self.memory.hold_response(part.len());
                // If the client is gone, this work is dropped with the response.
                let _ = parts.send(held(part, memory));
                sent += 1;
            }
        }
        self.metrics.encoded(encoding);
        Ok(())
    }

    /// The part with number `index`. It ends with the boundary, since browsers show a part when they have seen its end.
    fn part(&self, file: &[u8], index: usize) -> Vec<u8> {
        let start = if index == 0 { "--frame\r\n" } else { "" };
        let end = if index + 1 == self.frames { "--" } else { "" };
        let kind = self.output.format.media_type();
        let head = format!(
            "{start}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            file.len()
        );
        [head.as_bytes(), file, b"\r\n--frame", end.as_bytes(), b"\r\n"].concat()
    }
}

/// A running stream. If it is dropped, so is the work.
struct RunningStream {
    first: Option<Bytes>,
    parts: UnboundedReceiver<Bytes>,
    tasks: JoinSet<Result<(), Problem>>,
}

impl RunningStream {
    /// Waits for the next part; `None` after the last.
    async fn next(mut self) -> Option<(Result<Bytes, io::Error>, Self)> {
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.parts.recv().await,
        };
        if let Some(part) = next {
            return Some((Ok(part), self));
        }
        let problem = result(&mut self.tasks).await.err()?;
        problem.log();
        Some((Err(io::Error::other(problem.to_string())), self))
    }
}

/// Waits for the end of the work.
async fn result(tasks: &mut JoinSet<Result<(), Problem>>) -> Result<(), Problem> {
    match tasks.join_next().await {
        None => Ok(()),
        Some(ended) => ended.unwrap_or_else(|error| {
            Err(Problem::Internal {
                reason: format!("a stream of faces: {error}"),
            })
        }),
    }
}
