//! A folder of boundary files, and what the manifest says about it.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::catalog::boundary_file::{BOUNDARY_EXTENSIONS, read_boundary_file};
use crate::catalog::{CatalogError, ModelFolder};
use crate::latent::{Boundary, LatentSpace};

/// `[boundaries]`: the folder of boundary files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundariesEntry {
    /// Path relative to the model folder.
    pub folder: String,
    /// Space of the boundaries of one row that do not name theirs.
    #[serde(default, deserialize_with = "space_of_rows")]
    pub space: Option<LatentSpace>,
}

fn space_of_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LatentSpace>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "z" => Ok(Some(LatentSpace::Z)),
        "w" => Ok(Some(LatentSpace::W)),
        found => Err(D::Error::custom(format!(
            "found {found:?}, expected \"z\" or \"w\""
        ))),
    }
}

/// Reads all boundaries in the folder `below` another folder, each with its file, sorted by file: `.npy` files, and `.pt` files of one
/// or more directions. A boundary of one row that names no space has the space `of_rows`; one of several rows is in w+.
///
/// # Errors
/// [`CatalogError`] for the first file that is wrong, that does not say its attribute and its space, or that has the attribute and the
/// space of another.
pub fn read_boundaries(
    folder: &ModelFolder,
    below: &str,
    of_rows: Option<LatentSpace>,
) -> Result<Vec<(String, Boundary)>, CatalogError> {
    let mut boundaries: Vec<(String, Boundary)> = Vec::new();
    // The position of the first boundary of each attribute without case, and the file of each boundary.
    let (mut spellings, mut taken) = (BTreeMap::new(), BTreeMap::new());
    let mut read = Vec::new();
    for extension in BOUNDARY_EXTENSIONS {
        for file in folder.list(below, extension)? {
            let found = read_boundary_file(folder, &file, of_rows)?;
            read.extend(found.into_iter().map(|boundary| (file.clone(), boundary)));
        }
    }
    read.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (file, boundary) in read {
        let (name, attribute) = (folder.name(&file), boundary.attribute().to_owned());
        let first = *spellings
            .entry(attribute.to_lowercase())
            .or_insert(boundaries.len());
        if let Some((first, known)) = boundaries.get(first)
            && known.attribute() != attribute
        {
            return Err(CatalogError::SimilarAttribute {
                file: name,
                first: first.clone(),
                attribute,
                known: known.attribute().to_owned(),
            });
        }
        if let Some(first) = taken.insert((attribute.clone(), boundary.space()), name.clone()) {
            return Err(CatalogError::DuplicateBoundary {
                file: name,
                first,
                attribute,
                space: boundary.space(),
            });
        }
        boundaries.push((name, boundary));
    }
    Ok(boundaries)
}
