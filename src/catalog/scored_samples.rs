//! Sampled codes and their scores in one `.npz` file, as NumPy reads it.

use std::io::{Cursor, Read as _};

use ndarray::{ArcArray, Array2, Array3, Ix2, Ix3};
use zip::ZipArchive;

use crate::catalog::{NpyArray, NpyError, NpzStream};
use crate::checkpoint::NpyHeader;
use crate::latent::LatentSpace;

/// The first bytes of a zip archive.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// Sampled codes with the scores of a model's classifiers. Clones share the numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredSamples {
    /// `[samples, rows, dim]`.
    pub codes: ArcArray<f32, Ix3>,
    /// `[samples, attributes]`.
    pub scores: ArcArray<f32, Ix2>,
    /// The name of each column of scores.
    pub attributes: Vec<String>,
    /// For each column, the score above which a face has the attribute.
    pub thresholds: Vec<f64>,
    /// The space of the codes.
    pub space: LatentSpace,
    /// The seed of the samples.
    pub seed: u32,
}

/// Why bytes are not scored samples.
#[derive(Debug, thiserror::Error)]
pub enum ScoredSamplesError {
    /// The bytes are no zip archive, or a damaged one.
    #[error(
        "found no .npz archive that can be read: {0}; expected a file of /v1/jobs/{{job}}/samples or --samples-output"
    )]
    Archive(#[from] zip::result::ZipError),
    /// An entry of the archive is damaged.
    #[error("{0}.npy: cannot be unpacked: {1}")]
    Damaged(&'static str, std::io::Error),
    /// An entry is no array of numbers.
    #[error("{0}.npy: {1}")]
    Numbers(&'static str, NpyError),
    /// An entry is no array of text.
    #[error("{0}.npy: found no text; expected a NumPy array of the type <U")]
    Text(&'static str),
    /// The shape of an array does not fit the others.
    #[error("{name}.npy: found the shape {found:?}; expected {expected}")]
    Shape {
        /// The array.
        name: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// The shapes that are valid.
        expected: String,
    },
    /// The seed or the space is none.
    #[error("{name}.npy: found {found}; expected {expected}")]
    Value {
        /// The array.
        name: &'static str,
        /// Its value.
        found: String,
        /// The values that are valid.
        expected: &'static str,
    },
}

impl ScoredSamples {
    /// Whether `file` begins like a `.npz` file.
    #[must_use]
    pub fn is_npz(file: &[u8]) -> bool {
        file.starts_with(ZIP_MAGIC)
    }

    /// The memory of the codes and the scores, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        (self.codes.len() + self.scores.len()) * size_of::<f32>()
    }

    /// The `.npz` file: `codes` as f4 of shape (samples, dim), in w+ (samples, layers, dim), `scores` as f4 of shape
    /// (samples, attributes), `attributes`, `thresholds`, `seed` and `space`. It is not compressed, since codes are noise.
    ///
    /// # Panics
    /// Never: memory can be written to.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut npz = NpzStream::with_capacity(self.bytes() + 4096);
        self.write_to(&mut npz);
        npz.finish()
    }

    /// Adds the arrays to a file that has further ones.
    pub(crate) fn write_to(&self, npz: &mut NpzStream) {
        let (samples, rows, dim) = self.codes.dim();
        let shape = match self.space {
            LatentSpace::WPlus => vec![samples, rows, dim],
            _ => vec![samples, rows * dim],
        };
        npz.begin_f4("codes", &shape);
        npz.extend_f4(self.codes.iter().copied());
        npz.begin_f4("scores", self.scores.shape());
        npz.extend_f4(self.scores.iter().copied());
        npz.add_texts("attributes", &[self.attributes.len()], &self.attributes);
        npz.add_f8("thresholds", &[self.thresholds.len()], &self.thresholds);
        npz.add_i8("seed", &[], &[self.seed.into()]);
        npz.add_texts("space", &[], &[self.space.to_string()]);
    }

    /// The array `name` of a file that may have more than scored samples; `None` if it has none.
    pub(crate) fn entry(file: &[u8], name: &'static str) -> Result<Option<Vec<u8>>, ScoredSamplesError> {
        let mut archive = ZipArchive::new(Cursor::new(file))?;
        let mut entry = match archive.by_name(&format!("{name}.npy")) {
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            entry => entry?,
        };
        let mut bytes = Vec::new();
        let read = entry.read_to_end(&mut bytes);
        read.map_err(|error| ScoredSamplesError::Damaged(name, error))?;
        Ok(Some(bytes))
    }

    /// Reads a file that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// [`ScoredSamplesError`].
    pub fn read(file: &[u8]) -> Result<Self, ScoredSamplesError> {
        let mut archive = ZipArchive::new(Cursor::new(file))?;
        let mut entry = |name: &'static str| {
            let mut bytes = Vec::new();
            let mut entry = archive.by_name(&format!("{name}.npy"))?;
            let read = entry.read_to_end(&mut bytes);
            read.map_err(|error| ScoredSamplesError::Damaged(name, error))?;
            Ok::<_, ScoredSamplesError>(bytes)
        };
        let space = read_texts("space", &entry("space")?)?.concat();
        let space: LatentSpace = space.parse().map_err(|_| ScoredSamplesError::Value {
            name: "space",
            found: format!("{space:?}"),
            expected: "the name of a latent space, such as z or w",
        })?;
        let attributes = read_texts("attributes", &entry("attributes")?)?;
        let mut numbers = |name: &'static str| {
            NpyArray::read(&entry(name)?).map_err(|error| ScoredSamplesError::Numbers(name, error))
        };
        let seed = numbers("seed")?.values;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was checked"
        )]
        let seed = match seed[..] {
            [seed] if (0.0..=f64::from(u32::MAX)).contains(&seed) && seed.fract() == 0.0 => seed as u32,
            _ => {
                return Err(ScoredSamplesError::Value {
                    name: "seed",
                    found: format!("{seed:?}"),
                    expected: "one whole number from 0 to 4294967295",
                });
            }
        };
        let thresholds = shaped("thresholds", numbers("thresholds")?, &[attributes.len()])?.values;
        let codes = numbers("codes")?;
        let dims = match codes.shape[..] {
            [samples, dim] => (samples, 1, dim),
            [samples, layers, dim] => (samples, layers, dim),
            _ => {
                return Err(ScoredSamplesError::Shape {
                    name: "codes",
                    found: codes.shape,
                    expected: "(samples, dim) or (samples, layers, dim)".to_owned(),
                });
            }
        };
        let scores = shaped("scores", numbers("scores")?, &[dims.0, attributes.len()])?;
        let codes = Array3::from_shape_vec(dims, single(codes.values));
        let scores = Array2::from_shape_vec((dims.0, attributes.len()), single(scores.values));
        Ok(Self {
            codes: codes.expect("an array has the values of its shape").into_shared(),
            scores: scores
                .expect("an array has the values of its shape")
                .into_shared(),
            attributes,
            thresholds,
            space,
            seed,
        })
    }
}

/// Checks the shape of an array.
fn shaped(name: &'static str, array: NpyArray, expected: &[usize]) -> Result<NpyArray, ScoredSamplesError> {
    if array.shape == expected {
        return Ok(array);
    }
    Err(ScoredSamplesError::Shape {
        name,
        found: array.shape,
        expected: format!("{expected:?}"),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "codes and scores are single precision"
)]
fn single(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

fn read_texts(name: &'static str, file: &[u8]) -> Result<Vec<String>, ScoredSamplesError> {
    let wrong = || ScoredSamplesError::Text(name);
    let (head, body) = NpyHeader::split(file).ok_or_else(wrong)?;
    let head = NpyHeader::parse(head).ok_or_else(wrong)?;
    let longest = head.descr.strip_prefix("<U").and_then(|count| count.parse().ok());
    let size = longest
        .and_then(|count: usize| count.checked_mul(4))
        .ok_or_else(wrong)?;
    if size == 0 {
        return Err(wrong());
    }
    let text = |bytes: &[u8]| {
        let letters = bytes
            .chunks_exact(4)
            .map(|letter| u32::from_le_bytes(*letter.first_chunk().expect("four bytes")));
        let letters = letters.take_while(|&letter| letter != 0);
        letters
            .map(char::from_u32)
            .collect::<Option<String>>()
            .ok_or_else(wrong)
    };
    body.chunks(size).map(text).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn samples(space: LatentSpace) -> ScoredSamples {
        let codes = match space {
            LatentSpace::WPlus => array![[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.5]]],
            _ => array![[[1.0, 2.0]], [[3.0, f32::MIN_POSITIVE]]],
        };
        ScoredSamples {
            codes: codes.into_shared(),
            scores: array![[0.1, 0.2, 0.3], [-1.0, 1e-8, 5.0]].into_shared(),
            attributes: vec!["smile".to_owned(), "größe".to_owned(), "a".to_owned()],
            thresholds: vec![0.5, 0.0, -0.25],
            space,
            seed: u32::MAX,
        }
    }

    #[test]
    fn samples_are_read_back_to_the_bit() {
        for space in [LatentSpace::Z, LatentSpace::WPlus] {
            let file = samples(space).write();
            assert!(ScoredSamples::is_npz(&file));
            assert_eq!(file, samples(space).write(), "the file says nothing of the time");
            assert_eq!(ScoredSamples::read(&file).unwrap(), samples(space));
        }
    }

    #[test]
    fn a_file_that_is_cut_off_or_lacks_an_array_is_refused() {
        let file = samples(LatentSpace::W).write();
        for end in [0, 3, 100, file.len() - 1] {
            assert!(ScoredSamples::read(&file[..end]).is_err(), "{end}");
        }
        let mut wrong = samples(LatentSpace::W);
        wrong.thresholds.pop();
        let error = ScoredSamples::read(&wrong.write()).unwrap_err().to_string();
        assert_eq!(error, "thresholds.npy: found the shape [2]; expected [3]");
    }
}
