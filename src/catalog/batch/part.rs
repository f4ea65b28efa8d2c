//! The arrays of a chunk of seeds in one `.npz` file: scored samples, and the seed of each.

use crate::catalog::{NpyArray, NpzStream, ScoredSamples, ScoredSamplesError};
use crate::checkpoint::NpyHeader;

/// The codes and scores of the faces of a chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPart {
    /// The codes and scores. Their seed is the first one of the whole chunk.
    pub samples: ScoredSamples,
    /// The seed of each face.
    pub seeds: Vec<u32>,
    /// The index of the position of each face; empty without a trajectory.
    pub positions: Vec<usize>,
    /// The similarity of each face to the one before the edits; empty if it was not measured.
    pub similarities: Vec<f64>,
    /// Digest of the model's files and boundaries.
    pub digest: String,
}

impl BatchPart {
    /// The `.npz` file: the arrays of [`ScoredSamples::write`], `seeds`, `digest` and, if there are any, `positions` and
    /// `similarities`.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut npz = NpzStream::with_capacity(self.samples.bytes() + 8192);
        self.samples.write_to(&mut npz);
        let count = [self.seeds.len()];
        let seeds: Vec<i64> = self.seeds.iter().copied().map(i64::from).collect();
        npz.add_i8("seeds", &count, &seeds);
        if !self.positions.is_empty() {
            let positions = self.positions.iter();
            let positions: Vec<i64> = positions.filter_map(|&index| i64::try_from(index).ok()).collect();
            npz.add_i8("positions", &count, &positions);
        }
        if !self.similarities.is_empty() {
            npz.add_f8("similarities", &count, &self.similarities);
        }
        npz.add_texts("digest", &[], std::slice::from_ref(&self.digest));
        npz.finish()
    }

    /// The samples and the seeds of a part. `None` for scored samples that are no part.
    ///
    /// # Errors
    /// [`ScoredSamplesError`] if an array is damaged.
    pub fn read_seeds(file: &[u8]) -> Result<Option<(Vec<u32>, String)>, ScoredSamplesError> {
        let Some(seeds) = ScoredSamples::entry(file, "seeds")? else {
            return Ok(None);
        };
        let seeds = NpyArray::read(&seeds).map_err(|error| ScoredSamplesError::Numbers("seeds", error))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part has seeds, which are whole numbers of 32 bits"
        )]
        let seeds = seeds.values.into_iter().map(|seed| seed as u32).collect();
        let digest = ScoredSamples::entry(file, "digest")?.ok_or(ScoredSamplesError::Text("digest"))?;
        Ok(Some((
            seeds,
            text(&digest).ok_or(ScoredSamplesError::Text("digest"))?,
        )))
    }
}

/// The characters of an array of one text.
fn text(file: &[u8]) -> Option<String> {
    let (_, body) = NpyHeader::split(file)?;
    let letters = body.as_chunks::<4>().0.iter().copied().map(u32::from_le_bytes);
    letters.map(char::from_u32).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;
    use crate::latent::LatentSpace;

    fn part(faces: usize) -> BatchPart {
        BatchPart {
            samples: ScoredSamples {
                codes: Array3::from_elem((faces, 1, 4), 0.5).into_shared(),
                scores: Array2::from_elem((faces, 1), 0.25).into_shared(),
                attributes: vec!["smile".to_owned()],
                thresholds: vec![0.0],
                space: LatentSpace::W,
                seed: 256,
            },
            seeds: (256..).take(faces).collect(),
            positions: Vec::new(),
            similarities: Vec::new(),
            digest: "abc".to_owned(),
        }
    }

    #[test]
    fn a_part_is_read_back_even_if_all_its_faces_were_left_out() {
        for faces in [0, 1, 3] {
            let part = part(faces);
            let file = part.write();
            assert_eq!(ScoredSamples::read(&file).unwrap(), part.samples, "{faces}");
            let found = BatchPart::read_seeds(&file).unwrap();
            assert_eq!(found, Some((part.seeds, part.digest)));
        }
        let plain = part(2).samples.write();
        assert_eq!(BatchPart::read_seeds(&plain).unwrap(), None);
    }
}
