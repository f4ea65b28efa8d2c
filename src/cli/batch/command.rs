//! What the command does: it makes chunk after chunk, and puts the files of each in their places while the next is made.

use std::io::{self, Write as _};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::error::BatchError;
use super::row::{Row, part};
use super::settings::Batch;
use super::summary::Summary;
use crate::api::BatchWords;
use crate::catalog::{
    BatchFolderError, BatchPlace, BatchRecipe, ModelDownloads, ModelFolder, ModelStore, StoreAddress,
};
use crate::cli::alone::{async_runtime, open};
use crate::cli::download_folder::DownloadFolder;
use crate::cli::progress_line::ProgressLine;
use crate::cli::shutdown::terminated;
use crate::editor::{BatchRequest, FaceChunks, Model};
use crate::engine::{Device, Replicas, Runtime};
use crate::latent::{SeedChunk, Shard};

/// The images of a run on the CPU: with one thread for each run, larger runs are no faster.
const ON_CPU: usize = 1;

/// The images of a run on a GPU.
const ON_GPU: usize = 8;

/// Groups of faces beyond those in the generators, for a folder, which takes files at once.
const FOLDER_WRITES: usize = 1;

/// The same for a bucket, which takes long to answer.
const BUCKET_WRITES: usize = 16;

/// How often the progress is shown.
const UPDATE: Duration = Duration::from_millis(250);

/// A chunk that is put in its place.
type Finishing = JoinHandle<Result<(), BatchFolderError>>;

impl Batch {
    /// Makes the parts and the pictures of the shard that are missing.
    ///
    /// # Errors
    /// [`BatchError`]. Parts that are finished stay, and the same command goes on.
    pub fn run(&self) -> Result<(), BatchError> {
        let (words, shard) = (self.words()?, self.shard()?);
        if words.faces().edit.is_none() {
            self.check_without_edits()?;
        }
        let threads = self.threads.map(|threads| threads as usize);
        let runtime = Runtime::load(self.onnxruntime.as_deref(), self.device, threads)?;
        let downloads = self
            .store
            .as_ref()
            .map(|_| DownloadFolder::temporary())
            .transpose()?;
        let folder = self.model_folder(downloads.as_ref())?;
        // Batch work runs in the background lane, which has no limit of its own.
        let model = Arc::new(open(&folder, &runtime, 1, Replicas::BySize)?);
        let request = self.request(&words, &model)?;
        let recipe = self.recipe(&words, &runtime, &model, &request);
        let place = Arc::new(BatchPlace::open(&self.output, &recipe, shard)?);
        let done = async_runtime()?.block_on(self.make(shard, words, request, &model, &place));
        // Nobody waits for a run that is still under way.
        runtime.watchdog().close();
        let summary = done?;
        place.close()?;
        let text = if self.json { summary.json() } else { summary.text() };
        // Nobody has to read this: the files are what was asked for.
        let _ = writeln!(io::stdout(), "{text}");
        Ok(())
    }

    /// The model's folder. A model of a store is downloaded to `downloads`.
    fn model_folder(&self, downloads: Option<&DownloadFolder>) -> Result<ModelFolder, BatchError> {
        let (Some(model), Some(store), Some(downloads)) = (&self.model, &self.store, downloads) else {
            return Ok(self.model.clone().map_or(ModelFolder::Bundled, ModelFolder::Disk));
        };
        let models = ModelStore::new(store.open()?.blobs());
        let downloads = ModelDownloads::new(models, downloads.path().to_owned());
        let name = model.to_string_lossy();
        match downloads.fetch(&name)? {
            Some(download) => Ok(ModelFolder::Disk(download.folder)),
            None => Err(BatchError::NotInStore {
                model: name.into_owned(),
                store: store.to_string(),
                known: downloads.list()?.into_keys().collect(),
            }),
        }
    }

    /// Refuses settings that compare a face with the one before its edits.
    fn check_without_edits(&self) -> Result<(), BatchError> {
        let given = [
            ("--keep-original", !self.keep_original.is_empty()),
            ("--keep-similar", self.keep_similar.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((setting, _)) => Err(BatchError::NoEdits { setting }),
            None => Ok(()),
        }
    }

    /// The groups of faces that are encoded and written at the same time.
    fn finished_at_once(&self) -> usize {
        match self.output {
            StoreAddress::Folder(_) => FOLDER_WRITES,
            StoreAddress::Bucket(_) => BUCKET_WRITES,
        }
    }

    fn request(&self, words: &BatchWords, model: &Model) -> Result<BatchRequest, BatchError> {
        let usual = match self.device {
            Device::Cpu => ON_CPU,
            Device::Cuda(_) => ON_GPU,
        };
        let most = model.shape().largest_batch;
        let batch_size = self.images_of_run.map_or(usual.min(most), usize::from);
        if !batch_size.is_power_of_two() || batch_size > most {
            let found = batch_size;
            return Err(BatchError::BatchSize { found, most });
        }
        if self.keep_similar.is_some() && !model.engine().has_recognizer() {
            let model = model.name().to_owned();
            return Err(BatchError::NoIdentity { model });
        }
        Ok(BatchRequest {
            faces: words.faces().clone(),
            batch_size,
            with_scores: !self.no_scores && !model.outputs().is_empty(),
            with_images: self.pictures().is_some(),
            keep: self.keep.clone(),
            keep_originals: self.keep_original.clone(),
            least_similarity: self.keep_similar,
        })
    }

    fn recipe(
        &self,
        words: &BatchWords,
        runtime: &Runtime,
        model: &Model,
        request: &BatchRequest,
    ) -> BatchRecipe {
        let device = match self.device {
            Device::Cpu => "cpu",
            Device::Cuda(_) => "cuda",
        };
        BatchRecipe {
            faceplane: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.name().to_owned(),
            digest: model.digest().to_owned(),
            device: device.to_owned(),
            onnxruntime: runtime.build().to_owned(),
            threads: runtime.threads(),
            seeds: self.seeds.to_string(),
            batch_size: request.batch_size,
            request: words.json(self.pictures().is_some()),
            pictures: self.pictures().map(str::to_owned),
            scores: request.with_scores,
            keep: self.keep.iter().map(ToString::to_string).collect(),
            keep_original: self.keep_original.iter().map(ToString::to_string).collect(),
            keep_similar: self.keep_similar,
        }
    }

    /// Makes the chunks of the shard that are missing.
    async fn make(
        &self,
        shard: Shard,
        words: BatchWords,
        request: BatchRequest,
        model: &Arc<Model>,
        place: &Arc<BatchPlace>,
    ) -> Result<Summary, BatchError> {
        let mut stopped = pin!(terminated()?);
        let (has_scores, started) = (request.with_scores, Instant::now());
        let owned: Vec<SeedChunk> = self.seeds.chunks().filter(|&chunk| shard.owns(chunk)).collect();
        let missing: Vec<SeedChunk> = owned.iter().copied().filter(|&chunk| !place.has(chunk)).collect();
        let mut progress = Progress::new(owned.len(), owned.len() - missing.len());
        let write = {
            let (model, place) = (Arc::clone(model), Arc::clone(place));
            let ending = self
                .pictures()
                .map_or(String::new(), |format| format.replace("jpeg", "jpg"));
            move |face| Row::write(face, &words, &model, &place, &ending)
        };
        let mut chunks = FaceChunks::new(
            Arc::clone(model),
            request,
            missing,
            self.finished_at_once(),
            write,
        )
        .await?;
        let outputs = if has_scores { model.outputs() } else { &[] };
        let mut finishing: Option<Finishing> = None;
        let (mut seeds, mut faces) = (0, 0);
        loop {
            let ended = tokio::select! {
                ended = progress.until(chunks.next(), seeds, started) => ended,
                () = &mut stopped => {
                    let done = progress.done + finished(finishing.take()).await?;
                    return Err(BatchError::Stopped { done, all: owned.len() });
                }
            };
            let Some(ended) = ended else { break };
            let (chunk, rows) = ended?;
            let rows = rows.into_iter().collect::<Result<Vec<Row>, BatchError>>()?;
            (seeds, faces) = (seeds + chunk.range().count(), faces + rows.len());
            let part = part(chunk, &rows, chunks.example(), outputs, model.digest());
            progress.done += finished(finishing.take()).await?;
            let place = Arc::clone(place);
            finishing = Some(tokio::task::spawn_blocking(move || {
                let pictures: Vec<_> = rows.into_iter().filter_map(|row| row.picture).collect();
                place.finish_chunk(chunk, &pictures, &part.write())
            }));
        }
        finished(finishing.take()).await?;
        Ok(Summary {
            output: self.output.to_string(),
            shard: shard.to_string(),
            parts: owned.len(),
            found: progress.found,
            seeds,
            faces,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

/// Waits until a chunk is in its place. Returns how many there are: one or none.
async fn finished(finishing: Option<Finishing>) -> Result<usize, BatchError> {
    let Some(finishing) = finishing else {
        return Ok(0);
    };
    let ended = finishing.await;
    ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
    Ok(1)
}

/// The progress of a shard.
struct Progress {
    line: ProgressLine,
    all: usize,
    found: usize,
    done: usize,
}

impl Progress {
    /// The progress of a shard with `all` parts, `found` of which are there.
    fn new(all: usize, found: usize) -> Self {
        Self {
            line: ProgressLine::new(),
            all,
            found,
            done: found,
        }
    }

    /// Shows the progress until `work` ends.
    async fn until<T>(&mut self, work: impl Future<Output = T>, seeds: u64, started: Instant) -> T {
        let mut work = pin!(work);
        loop {
            #[expect(clippy::cast_precision_loss, reason = "a number to show")]
            let rate = seeds as f64 / started.elapsed().as_secs_f64().max(1e-3);
            let (done, all) = (self.done, self.all);
            self.line
                .show(&format!("{done} of {all} parts, {rate:.1} seeds a second"));
            tokio::select! {
                ended = &mut work => return ended,
                () = tokio::time::sleep(UPDATE) => {}
            }
        }
    }
}
