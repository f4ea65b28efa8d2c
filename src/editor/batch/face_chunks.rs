//! The chunks of a batch, one after another, with several groups of seeds in progress.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::editor::background_batches::BackgroundBatches;
use crate::editor::batch::group::{GroupMaker, SeedCode};
use crate::editor::batch::request::{BatchFace, BatchRequest};
use crate::editor::{EditorError, Model};
use crate::latent::{LatentCode, SeedChunk};

/// What is made of each kept face, on a thread for blocking work.
type Finish<T> = Arc<dyn Fn(BatchFace) -> T + Send + Sync>;

/// The chunks of a batch. If it is dropped, the rest is not made.
pub struct FaceChunks<T> {
    maker: Arc<GroupMaker>,
    finish: Finish<T>,
    /// Chunks that were not started.
    waiting: VecDeque<SeedChunk>,
    /// Groups that were not started, of the chunk that was started last.
    groups: VecDeque<(usize, Vec<SeedCode>)>,
    started: Option<SeedChunk>,
    running: BackgroundBatches<(SeedChunk, usize, Vec<T>)>,
    unfinished: BTreeMap<SeedChunk, Unfinished<T>>,
}

/// A chunk with groups in progress.
struct Unfinished<T> {
    /// For each group, what became of its faces.
    groups: Vec<Option<Vec<T>>>,
}

impl<T: Send + 'static> FaceChunks<T> {
    /// Checks a request, and prepares its chunks. `finish` makes an element of each face, for up to `finished_at_once` groups while the
    /// generator makes others.
    ///
    /// The size of the model's batches is fixed from now on.
    ///
    /// # Errors
    /// [`EditorError`] if the request does not fit the model.
    pub async fn new(
        model: Arc<Model>,
        request: BatchRequest,
        chunks: impl IntoIterator<Item = SeedChunk>,
        finished_at_once: usize,
        finish: impl Fn(BatchFace) -> T + Send + Sync + 'static,
    ) -> Result<Self, EditorError> {
        model.engine().fix_batch_size(request.batch_size);
        Ok(Self {
            running: BackgroundBatches::with_followers(model.engine(), finished_at_once),
            maker: Arc::new(GroupMaker::new(model, request).await?),
            finish: Arc::new(finish),
            waiting: chunks.into_iter().collect(),
            groups: VecDeque::new(),
            started: None,
            unfinished: BTreeMap::new(),
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Model {
        self.maker.model()
    }

    /// A code of the batch: all have its space and its shape.
    #[must_use]
    pub fn example(&self) -> &LatentCode {
        self.maker.example()
    }

    /// The next chunk that is finished, with what became of its kept faces, in order; `None` after the last.
    ///
    /// # Errors
    /// [`EditorError`] if an edit does not fit a face, or a network fails.
    ///
    /// # Panics
    /// If `finish` panics.
    pub async fn next(&mut self) -> Option<Result<(SeedChunk, Vec<T>), EditorError>> {
        loop {
            while !self.running.is_full() {
                match self.start_group().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => return Some(Err(error)),
                }
            }
            let (chunk, group, faces) = match self.running.next().await? {
                Ok(ended) => ended,
                Err(error) => return Some(Err(error)),
            };
            let unfinished = self.unfinished.get_mut(&chunk);
            let unfinished = unfinished.expect("a chunk is unfinished while a group of it runs");
            unfinished.groups[group] = Some(faces);
            if unfinished.groups.iter().all(Option::is_some) {
                let groups = self.unfinished.remove(&chunk)?.groups;
                return Some(Ok((chunk, groups.into_iter().flatten().flatten().collect())));
            }
        }
    }

    /// Starts the next group; `false` if there is none.
    async fn start_group(&mut self) -> Result<bool, EditorError> {
        if self.groups.is_empty()
            && let Some(chunk) = self.waiting.pop_front()
        {
            let groups = self.maker.groups(chunk).await?;
            let results = groups.iter().map(|_| None).collect();
            self.unfinished.insert(chunk, Unfinished { groups: results });
            self.groups = groups.into_iter().enumerate().collect();
            self.started = Some(chunk);
        }
        let (Some((index, group)), Some(chunk)) = (self.groups.pop_front(), self.started) else {
            return Ok(false);
        };
        let (maker, finish) = (Arc::clone(&self.maker), Arc::clone(&self.finish));
        self.running.start(async move {
            let faces = maker.make(chunk, group).await?;
            // Encoding and writing must not delay the tasks that feed the generator.
            let finish_all = move || faces.into_iter().map(|face| finish(face)).collect();
            let finished = tokio::task::spawn_blocking(finish_all).await;
            Ok((chunk, index, finished.expect("finishing a face does not panic")))
        });
        Ok(true)
    }
}
