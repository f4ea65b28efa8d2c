//! An inversion that runs in a task of its own: its steps while it runs, and then its response or its problem.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::api::buffered_response::BufferedResponse;
use crate::api::encoding::off_thread;
use crate::api::image_metadata::PHOTOGRAPH;
use crate::api::problem::Problem;
use crate::api::responses;
use crate::editor::InversionProgress;
use crate::engine;
use crate::imaging::{FileMetadata, Image, ImagingError, Quality, encode_jpeg, shrunk};

/// The longest side of the reconstructions in events, in pixels.
const PREVIEW_SIDE: usize = 256;

/// What happens in an inversion. The last event is not `Progress`.
pub(crate) enum InversionEvent {
    /// A step.
    Progress(responses::invert::InversionProgress),
    /// The code is found.
    Done(BufferedResponse),
    /// It failed.
    Failed(Problem),
}

/// A running inversion. If it is dropped, the inversion ends.
pub(crate) struct InversionRun {
    progress: UnboundedReceiver<InversionProgress>,
    task: JoinSet<Result<BufferedResponse, Problem>>,
    has_ended: bool,
}

impl InversionRun {
    /// Starts an inversion, which fails when it takes longer than `limit`. It sends its steps.
    pub(crate) fn start<F>(
        limit: Duration,
        inversion: impl FnOnce(UnboundedSender<InversionProgress>) -> F,
    ) -> Self
    where
        F: Future<Output = Result<BufferedResponse, Problem>> + Send + 'static,
    {
        let (sender, progress) = unbounded_channel();
        let inversion = inversion(sender);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let done = engine::within(limit, inversion).await;
            done.unwrap_or(Err(Problem::Deadline { limit }))
        });
        Self {
            progress,
            task,
            has_ended: false,
        }
    }

    /// Waits for the next event; `None` after the last.
    pub(crate) async fn next(&mut self) -> Option<InversionEvent> {
        if self.has_ended {
            return None;
        }
        let event = match self.progress.recv().await {
            Some(progress) => encode(progress).await.map(InversionEvent::Progress),
            None => self.result().await.map(InversionEvent::Done),
        };
        let event = event.unwrap_or_else(InversionEvent::Failed);
        self.has_ended = !matches!(event, InversionEvent::Progress(_));
        Some(event)
    }

    async fn result(&mut self) -> Result<BufferedResponse, Problem> {
        let ended = self.task.join_next().await;
        let ended = ended.unwrap_or_else(|| Ok(Err(Problem::Draining)));
        ended.unwrap_or_else(|error| {
            Err(Problem::Internal {
                reason: format!("an inversion: {error}"),
            })
        })
    }
}

/// The data of a `progress` event.
async fn encode(progress: InversionProgress) -> Result<responses::invert::InversionProgress, Problem> {
    let (image, similarity) = progress.preview.unzip();
    let image = match image {
        Some(image) => Some(STANDARD.encode(off_thread(move || encode_preview(image)).await?)),
        None => None,
    };
    Ok(responses::invert::InversionProgress {
        step: progress.step,
        steps: progress.total_steps,
        loss: progress.loss,
        mse: similarity.map(|similarity| similarity.mse),
        psnr: similarity.map(|similarity| similarity.psnr),
        ssim: similarity.map(|similarity| similarity.ssim),
        image,
    })
}

/// A small JPEG of an image.
fn encode_preview(image: Image) -> Result<Vec<u8>, ImagingError> {
    let mark = FileMetadata::mark(PHOTOGRAPH.term());
    encode_jpeg(&shrunk(image, PREVIEW_SIDE), Quality::default(), &mark)
}
