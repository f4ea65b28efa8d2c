//! A boundary on disk: the normal as `.npy`, and a JSON beside it that says what the normal means.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::{CatalogError, ModelFolder, NpyArray};
use crate::latent::{Accuracy, Boundary, LatentSpace, Provenance};

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
            accuracy: AccuracyCard::default(),
        })
    }
}

/// Reads `file` (relative to `folder`) and the JSON beside it.
pub(super) fn read_boundary(folder: &ModelFolder, file: &str) -> Result<Boundary, CatalogError> {
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
    let array = NpyArray::read(&folder.read(file)?).map_err(|source| CatalogError::Npy {
        file: name.clone(),
        source,
    })?;
    let latent = |source| CatalogError::Latent {
        file: name.clone(),
        source,
    };
    let space: LatentSpace = card.space.parse().map_err(|source| CatalogError::Latent {
        file: folder.name(&json),
        source,
    })?;
    let shape = space
        .rows_and_columns(&array.shape)
        .ok_or_else(|| CatalogError::BoundaryShape {
            file: name.clone(),
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
        samples: card.samples,
        chosen: card.chosen,
        seed: card.seed,
        classifier: card.classifier,
        accuracy: Accuracy {
            train: card.accuracy.train,
            held_out: card.accuracy.held_out,
            all: card.accuracy.all,
        },
    };
    Boundary::new(card.attribute, space, normal, card.intercept, provenance).map_err(latent)
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
