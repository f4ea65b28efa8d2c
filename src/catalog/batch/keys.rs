//! The names of a batch's files, and which parts it has. They are the same in a folder and in a bucket.

use std::path::Path;

use super::{BatchFolderError, BatchRecipe};
use crate::latent::{SeedChunk, SeedRange};

pub(super) const RECIPE: &str = "batch.json";
pub(super) const PARTS: &str = "parts";

/// The file of a chunk's part: `parts/seeds0000000256.npz`.
pub(super) fn part_key(chunk: SeedChunk) -> String {
    format!("{PARTS}/seeds{:010}.npz", chunk.start())
}

/// All chunks of a batch, if it `has` the part of each. `unfinished` names shards that began and did not end, as a part of a sentence.
pub(super) fn finished_parts(
    recipe: &BatchRecipe,
    place: &Path,
    has: impl Fn(SeedChunk) -> bool,
    unfinished: impl FnOnce() -> String,
) -> Result<Vec<SeedChunk>, BatchFolderError> {
    let seeds: SeedRange = recipe.seeds.parse().map_err(|error| BatchFolderError::Damaged {
        file: place.join(RECIPE),
        reason: format!("seeds: {error}"),
    })?;
    let (found, missing): (Vec<_>, Vec<_>) = seeds.chunks().partition(|&chunk| has(chunk));
    if missing.is_empty() {
        return Ok(found);
    }
    Err(BatchFolderError::Missing {
        folder: place.to_owned(),
        found: found.len(),
        expected: found.len() + missing.len(),
        missing: shown(&missing),
        unfinished: unfinished(),
    })
}

/// The seeds of the first chunks, and how many more there are.
fn shown(chunks: &[SeedChunk]) -> String {
    const MOST: usize = 8;
    let first: Vec<String> = chunks[..chunks.len().min(MOST)]
        .iter()
        .map(|chunk| chunk.range().to_string())
        .collect();
    match chunks.len().saturating_sub(MOST) {
        0 => first.join(", "),
        more => format!("{} and of {more} more parts", first.join(", ")),
    }
}
