//! Scored samples of one or several files, and of the shards of batch work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{Axis, concatenate};

use super::train_boundary_error::TrainBoundaryError;
use crate::catalog::{BatchPart, Blobs, ScoredSamples, StoreAddress, part_files, part_keys};
use crate::latent::LatentSpace;

/// Reads and joins samples. They must be of one space, of the same attributes, and if they come from batch work of one model and of
/// different seeds.
///
/// # Errors
/// [`TrainBoundaryError`] for the first file that is wrong or does not fit the ones before it, or for parts of a folder that are missing.
pub(super) fn read_samples(
    paths: &[PathBuf],
    space: Option<LatentSpace>,
) -> Result<ScoredSamples, TrainBoundaryError> {
    let mut joined: Option<Joined> = None;
    for file in files(paths)? {
        let bytes = file.read()?;
        let file = file.name();
        if !ScoredSamples::is_npz(&bytes) {
            let reason = "found no .npz file; expected one with codes and scores, or --scores with the scores of these codes";
            return Err(input_error(&file, reason));
        }
        let samples = ScoredSamples::read(&bytes).map_err(|error| input_error(&file, error))?;
        if let Some(space) = space.filter(|&space| space != samples.space) {
            let reason = format!(
                "found codes in {}, expected {space}, as --space says",
                samples.space
            );
            return Err(input_error(&file, reason));
        }
        let part = BatchPart::read_seeds(&bytes).map_err(|error| input_error(&file, error))?;
        let (seeds, digest) = part.map_or((Vec::new(), None), |(seeds, digest)| (seeds, Some(digest)));
        let joined = joined.get_or_insert_with(|| Joined::new(&samples, digest.clone()));
        joined
            .add(samples, seeds, digest)
            .map_err(|reason| input_error(&file, reason))?;
    }
    let joined = joined.expect("each path is a file, or a folder with at least one part");
    Ok(joined.samples())
}

/// A file with samples.
enum SampleFile {
    Disk(PathBuf),
    /// A file of a bucket.
    Stored(Arc<dyn Blobs>, String),
}

impl SampleFile {
    /// Its name in messages.
    fn name(&self) -> PathBuf {
        match self {
            Self::Disk(path) => path.clone(),
            Self::Stored(blobs, key) => blobs.name(key).into(),
        }
    }

    fn read(&self) -> Result<Vec<u8>, TrainBoundaryError> {
        match self {
            Self::Disk(path) => std::fs::read(path).map_err(|error| input_error(path, error)),
            Self::Stored(blobs, key) => {
                let found = blobs.get(key)?;
                let gone = || input_error(&self.name(), "it was there, and is gone");
                Ok(found.ok_or_else(gone)?.bytes)
            }
        }
    }
}

/// The files of all paths, in the order of the paths, and in a folder or a bucket of the seeds.
fn files(paths: &[PathBuf]) -> Result<Vec<SampleFile>, TrainBoundaryError> {
    let mut files = Vec::new();
    for path in paths {
        let (recipe, parts) = match path.to_string_lossy().parse() {
            Ok(bucket @ StoreAddress::Bucket(_)) => {
                let blobs = bucket.open()?.blobs();
                let (recipe, keys) = part_keys(&*blobs)?;
                let stored = keys
                    .into_iter()
                    .map(|key| SampleFile::Stored(Arc::clone(&blobs), key));
                (recipe, stored.collect::<Vec<_>>())
            }
            _ if path.is_dir() => {
                let (recipe, parts) = part_files(path)?;
                (recipe, parts.into_iter().map(SampleFile::Disk).collect())
            }
            _ => {
                files.push(SampleFile::Disk(path.clone()));
                continue;
            }
        };
        if recipe.has_edits() {
            let reason = "found a batch of edited faces, expected one without edits, because edited codes are no samples of the model";
            return Err(input_error(path, reason));
        }
        files.extend(parts);
    }
    Ok(files)
}

/// The samples of several files.
struct Joined {
    /// What all files have in common; of the first file.
    first: ScoredSamples,
    digest: Option<String>,
    parts: Vec<ScoredSamples>,
    seeds: BTreeSet<u32>,
}

impl Joined {
    fn new(first: &ScoredSamples, digest: Option<String>) -> Self {
        Self {
            first: first.clone(),
            digest,
            parts: Vec::new(),
            seeds: BTreeSet::new(),
        }
    }

    /// Adds the samples of a file; an error says what does not fit.
    fn add(&mut self, samples: ScoredSamples, seeds: Vec<u32>, digest: Option<String>) -> Result<(), String> {
        let first = &self.first;
        if digest != self.digest {
            let shown = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "no".to_owned());
            return Err(format!(
                "found samples with the digest {} of a model, expected {}, as in the first file",
                shown(&digest),
                shown(&self.digest)
            ));
        }
        if samples.space != first.space || samples.codes.shape()[1..] != first.codes.shape()[1..] {
            return Err(format!(
                "found codes in {} of shape {:?}, expected {} of shape {:?}, as in the first file",
                samples.space,
                &samples.codes.shape()[1..],
                first.space,
                &first.codes.shape()[1..]
            ));
        }
        if samples.attributes != first.attributes {
            return Err(format!(
                "found scores of {}, expected {}, as in the first file",
                samples.attributes.join(", "),
                first.attributes.join(", ")
            ));
        }
        for seed in seeds {
            if !self.seeds.insert(seed) {
                return Err(format!(
                    "found the seed {seed}, which another file has too; expected each once"
                ));
            }
        }
        self.parts.push(samples);
        Ok(())
    }

    /// All samples, in order.
    fn samples(mut self) -> ScoredSamples {
        if self.parts.len() == 1 {
            return self.parts.swap_remove(0);
        }
        let codes: Vec<_> = self.parts.iter().map(|part| part.codes.view()).collect();
        let scores: Vec<_> = self.parts.iter().map(|part| part.scores.view()).collect();
        let fits = "the shapes of all parts were compared";
        ScoredSamples {
            codes: concatenate(Axis(0), &codes).expect(fits).into_shared(),
            scores: concatenate(Axis(0), &scores).expect(fits).into_shared(),
            ..self.first
        }
    }
}

/// An error of an input file.
pub(super) fn input_error(file: &Path, reason: impl ToString) -> TrainBoundaryError {
    TrainBoundaryError::Input {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
