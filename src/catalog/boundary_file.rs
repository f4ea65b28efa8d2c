//! A boundary on disk: the normal as `.npy`, and a JSON beside it that says what the normal means.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::catalog::atomic_write::{remove_whole, write_whole};
use crate::catalog::{CatalogError, ModelFolder, NpyArray};
use crate::latent::{Accuracy, Boundary, LatentSpace, Provenance, UnknownSpace};

/// The JSON beside a boundary's `.npy`: what the normal means and how it was found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryCard {
    /// The attribute that the plane separates.
    pub attribute: String,
    /// The space it lies in: `z`, `w` or `w+`.
    pub space: String,
    /// The b of n·code + b, for the normal as stored; 0 when unknown.
    #[serde(default)]
    pub intercept: f64,
    /// Codes that were sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<u64>,
    /// Codes taken at each end of the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<u64>,
    /// The seed of the sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The classifier that scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<String>,
    /// SHA-256 of the classifier's file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier_digest: Option<String>,
    /// SHA-256 of the generator's files; a boundary of another generator is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What found the plane: `svm` or `least-squares`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// When it was found, as RFC 3339 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// How well the plane separates.
    #[serde(default)]
    pub accuracy: AccuracyCard,
}

/// Shares of codes on the right side of a plane, 0 ‥ 1.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccuracyCard {
    /// Of the extremes that the plane was fitted to.
    pub train: Option<f64>,
    /// Of the extremes that were held out.
    pub held_out: Option<f64>,
    /// Of all the codes.
    pub all: Option<f64>,
}

impl BoundaryCard {
    /// A card for a file that has none: attribute and space from the name `ATTRIBUTE_SPACE`, the rest unknown.
    fn of_name(stem: &str) -> Option<Self> {
        let (attribute, space) = stem
            .rsplit_once('_')
            .filter(|(attribute, _)| !attribute.is_empty())?;
        space.parse::<LatentSpace>().ok()?;
        Some(Self {
            attribute: attribute.to_owned(),
            space: space.to_owned(),
            intercept: 0.0,
            samples: None,
            chosen: None,
            seed: None,
            classifier: None,
            classifier_digest: None,
            model: None,
            method: None,
            date: None,
            accuracy: AccuracyCard::default(),
        })
    }

    /// The card of a boundary.
    #[must_use]
    pub fn of(boundary: &Boundary) -> Self {
        let known = boundary.provenance().clone();
        Self {
            attribute: boundary.attribute().to_owned(),
            space: boundary.space().to_string(),
            intercept: boundary.intercept(),
            samples: known.samples,
            chosen: known.chosen,
            seed: known.seed,
            classifier: known.classifier,
            classifier_digest: known.classifier_digest,
            model: known.model,
            method: known.method,
            date: known.date,
            accuracy: AccuracyCard {
                train: known.accuracy.train,
                held_out: known.accuracy.held_out,
                all: known.accuracy.all,
            },
        }
    }

    /// The boundary that `array` is with this card; errors name the file of each.
    pub(crate) fn boundary(self, array: NpyArray, npy: &str, card: &str) -> Result<Boundary, CatalogError> {
        let space: LatentSpace = self
            .space
            .parse()
            .map_err(|reason: UnknownSpace| CatalogError::Latent {
                file: card.to_owned(),
                reason: reason.into(),
            })?;
        let shape = space
            .rows_and_columns(&array.shape)
            .ok_or_else(|| CatalogError::BoundaryShape {
                file: npy.to_owned(),
                space,
                expected: match space {
                    LatentSpace::WPlus => "(layers, dim) or (1, layers, dim)",
                    LatentSpace::Z | LatentSpace::W => "(dim,) or (1, dim)",
                },
                found: array.shape.clone(),
            })?;
        let normal =
            Array2::from_shape_vec(shape, array.values).expect("the shape holds as many values as the array");
        let provenance = Provenance {
            samples: self.samples,
            chosen: self.chosen,
            seed: self.seed,
            classifier: self.classifier,
            classifier_digest: self.classifier_digest,
            model: self.model,
            method: self.method,
            date: self.date,
            accuracy: Accuracy {
                train: self.accuracy.train,
                held_out: self.accuracy.held_out,
                all: self.accuracy.all,
            },
        };
        let made = Boundary::new(self.attribute, space, normal, self.intercept, provenance);
        made.map_err(|reason| CatalogError::Latent {
            file: npy.to_owned(),
            reason,
        })
    }
}

/// Reads `file` (relative to `folder`) and the JSON beside it.
pub(crate) fn read_boundary(folder: &ModelFolder, file: &str) -> Result<Boundary, CatalogError> {
    let name = folder.name(file);
    let stem = file.strip_suffix(".npy").unwrap_or(file);
    let json = format!("{stem}.json");
    let card = if folder.has(&json) {
        serde_json::from_slice(&folder.read(&json)?).map_err(|error| CatalogError::BoundaryCard {
            file: folder.name(&json),
            reason: error.to_string(),
        })?
    } else {
        BoundaryCard::of_name(stem.rsplit('/').next().unwrap_or(stem)).ok_or_else(|| {
            CatalogError::UnnamedBoundary {
                file: name.clone(),
                json: folder.name(&json),
            }
        })?
    };
    let array = NpyArray::read(&folder.read(file)?).map_err(|reason| CatalogError::Npy {
        file: name.clone(),
        reason,
    })?;
    card.boundary(array, &name, &folder.name(&json))
}

/// Writes a boundary into `folder` as a model folder has it, and gives the `.npy` file. Whoever reads the two files finds
/// no card beside a normal that it is not of, whenever the program is killed.
///
/// # Errors
/// [`CatalogError::Unwritable`], naming the file.
pub fn write_boundary(folder: &Path, boundary: &Boundary) -> Result<PathBuf, CatalogError> {
    let stem = file_stem(boundary.attribute(), boundary.space());
    let (npy, json) = (
        folder.join(format!("{stem}.npy")),
        folder.join(format!("{stem}.json")),
    );
    let unwritable = |file: &Path| {
        let file = file.display().to_string();
        move |reason| CatalogError::Unwritable { file, reason }
    };
    std::fs::create_dir_all(folder).map_err(unwritable(folder))?;
    remove_whole(&json).map_err(unwritable(&json))?;
    write_whole(&npy, &NpyArray::of_normal(boundary).write_f8()).map_err(unwritable(&npy))?;
    let mut card = serde_json::to_vec_pretty(&BoundaryCard::of(boundary))
        .expect("a card holds finite numbers and texts");
    card.push(b'\n');
    write_whole(&json, &card).map_err(unwritable(&json))?;
    Ok(npy)
}

/// Refuses a folder where no file can be written, or that cannot be made.
///
/// # Errors
/// [`CatalogError::Unwritable`].
pub fn check_writable(folder: &Path) -> Result<(), CatalogError> {
    let there = folder.ancestors().find(|place| place.exists());
    let probe = there
        .unwrap_or(Path::new("."))
        .join(format!(".writable.{}", std::process::id()));
    std::fs::write(&probe, [])
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|reason| CatalogError::Unwritable {
            file: folder.display().to_string(),
            reason,
        })
}

/// What a boundary's files are called, without what comes after the dot.
pub(crate) fn file_stem(attribute: &str, space: LatentSpace) -> String {
    format!("{}_{space}", escaped(attribute))
}

/// An attribute's name as it may stand in a file's.
fn escaped(attribute: &str) -> String {
    attribute.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(byte.into());
        } else {
            write!(name, "%{byte:02X}").expect("writing to a string cannot fail");
        }
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_json_gives_attribute_and_space() {
        let card = BoundaryCard::of_name("hair_colour_w+").unwrap();
        assert_eq!(
            (card.attribute.as_str(), card.space.as_str()),
            ("hair_colour", "w+")
        );
        for stem in ["smile", "_w", "pggan_smile_boundary", ""] {
            assert!(BoundaryCard::of_name(stem).is_none(), "{stem:?}");
        }
    }
}
