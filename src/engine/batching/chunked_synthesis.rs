//! Synthesis of more images than one batch holds.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::batching::batch_queue::Lane;
use crate::engine::batching::batcher::{Batcher, Submitted};
use crate::engine::batching::synthesizer::Synthesizer;
use crate::engine::{BatchSize, EngineError, Images, SynthesisCodes, Timings};

/// Codes that are synthesized chunk by chunk, so that other callers' images take turns with them. Each replica has at most
/// one chunk at a time. If the value is dropped, the remaining codes are not synthesized.
pub struct ChunkedSynthesis<T> {
    generators: Batcher<Synthesizer>,
    batch_size: BatchSize,
    lane: Lane,
    codes: SynthesisCodes,
    convert: Arc<dyn Fn(Images) -> T + Send + Sync>,
    /// Codes that have been submitted.
    submitted: usize,
    chunks: VecDeque<Submitted<T>>,
}

impl<T: Send + 'static> ChunkedSynthesis<T> {
    pub(crate) fn new(
        generators: Batcher<Synthesizer>,
        batch_size: BatchSize,
        lane: Lane,
        codes: SynthesisCodes,
        convert: impl Fn(Images) -> T + Send + Sync + 'static,
    ) -> Self {
        Self {
            generators,
            batch_size,
            lane,
            codes,
            convert: Arc::new(convert),
            submitted: 0,
            chunks: VecDeque::new(),
        }
    }

    /// The converted images of the next chunk, in the order of the codes. `None` after the last chunk.
    ///
    /// # Errors
    /// [`EngineError`] if the chunk's run fails.
    pub(crate) async fn next(&mut self, timings: &mut Timings) -> Option<Result<T, EngineError>> {
        let (chunks, images) = (self.generators.replicas(), self.batch_size.largest());
        let count = self.codes.images();
        while self.submitted < count && self.chunks.len() < chunks {
            let end = count.min(self.submitted + images);
            let codes = self.codes.part(self.submitted..end);
            let convert = Arc::clone(&self.convert);
            let chunk = self
                .generators
                .submit(self.lane, codes, move |images| convert(images));
            self.chunks.push_back(chunk);
            self.submitted = end;
        }
        let completed = self.chunks.pop_front()?.completed().await;
        Some(completed.map(|completed| {
            timings.queue += completed.queued;
            timings.synthesis += completed.ran;
            completed.output
        }))
    }
}
