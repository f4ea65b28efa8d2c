//! A model's boundaries: which apply to a code, and models that have others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::editor::{EditorError, Model};
use crate::latent::{Boundary, LatentCode, LatentSpace};

/// Letters of an attribute's name.
const LONGEST_NAME: usize = 64;

impl Model {
    /// The boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] where there is none, with those that there are.
    pub fn boundary(&self, attribute: &str, space: LatentSpace) -> Result<&Arc<Boundary>, EditorError> {
        let fits = |boundary: &&Arc<Boundary>| boundary.attribute() == attribute && boundary.space() == space;
        self.boundaries()
            .iter()
            .find(fits)
            .ok_or_else(|| EditorError::UnknownAttribute {
                model: self.name().to_owned(),
                found: attribute.to_owned(),
                space,
                known: self.known_boundaries(),
            })
    }

    /// The same model with `boundary` in place of the one that it has of this attribute and space, or beside the others.
    ///
    /// # Errors
    /// [`EditorError`] for a boundary of another generator, or of a space or shape that this one's codes do not have,
    /// or whose attribute has no name that a URL can hold.
    pub fn with_boundary(&self, boundary: Boundary) -> Result<Self, EditorError> {
        let (attribute, space) = (boundary.attribute(), boundary.space());
        let long = attribute.chars().count() > LONGEST_NAME;
        if long || attribute.trim() != attribute || attribute.chars().any(char::is_control) {
            return Err(EditorError::AttributeName {
                found: attribute.chars().take(2 * LONGEST_NAME).collect(),
            });
        }
        let origin = boundary.provenance().model.as_deref();
        if let Some(found) = origin.filter(|&origin| origin != self.generator_digest()) {
            return Err(EditorError::ForeignBoundary {
                model: self.name().to_owned(),
                found: found.to_owned(),
                expected: self.generator_digest().to_owned(),
            });
        }
        let expected = self.code_shape(space)?;
        let found = boundary.normal().dim();
        if found != expected {
            return Err(EditorError::BoundaryShape {
                model: self.name().to_owned(),
                space,
                found,
                expected,
            });
        }
        let same = |other: &Arc<Boundary>| other.attribute() == attribute && other.space() == space;
        let mut boundaries = self.boundaries().to_vec();
        match self.boundaries().iter().position(same) {
            Some(place) => boundaries[place] = Arc::new(boundary),
            None => boundaries.push(Arc::new(boundary)),
        }
        Ok(self.with_boundaries(boundaries))
    }

    /// The same model without the boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] where there is none.
    pub fn without_boundary(&self, attribute: &str, space: LatentSpace) -> Result<Self, EditorError> {
        let gone = Arc::clone(self.boundary(attribute, space)?);
        let mut boundaries = self.boundaries().to_vec();
        boundaries.retain(|boundary| !Arc::ptr_eq(boundary, &gone));
        Ok(self.with_boundaries(boundaries))
    }

    /// The boundaries of `attributes` that apply to codes in `space`, in the order asked for.
    ///
    /// A w+ code is moved along w+ boundaries where all the attributes have one, and along w boundaries, layer by
    /// layer, otherwise.
    pub(crate) fn boundaries_of(
        &self,
        attributes: &[&str],
        space: LatentSpace,
    ) -> Result<Vec<Arc<Boundary>>, EditorError> {
        let find = |space: LatentSpace| {
            let own = |attribute: &&str| self.boundary(attribute, space).cloned();
            attributes.iter().map(own).collect::<Result<Vec<_>, _>>()
        };
        match space {
            LatentSpace::WPlus => find(LatentSpace::WPlus).or_else(|_| find(LatentSpace::W)),
            LatentSpace::Z | LatentSpace::W => find(space),
        }
    }

    fn known_boundaries(&self) -> Vec<(String, LatentSpace)> {
        self.boundaries()
            .iter()
            .map(|boundary| (boundary.attribute().to_owned(), boundary.space()))
            .collect()
    }

    /// The signed distance of a code from every boundary that measures it; of two, the one in the code's own space.
    pub(crate) fn distances(&self, code: &LatentCode) -> BTreeMap<String, f64> {
        let mut distances = BTreeMap::new();
        let foreign_first = |boundary: &&Arc<Boundary>| boundary.space() == code.space();
        let mut boundaries: Vec<_> = self.boundaries().iter().collect();
        boundaries.sort_by_key(foreign_first);
        for boundary in boundaries {
            if let Ok(distance) = boundary.signed_distance(code) {
                distances.insert(boundary.attribute().to_owned(), distance);
            }
        }
        distances
    }
}

/// SHA-256 over a model's files and its boundaries: equal ones edit alike.
pub(crate) fn digest_with(files: &str, boundaries: &[Arc<Boundary>]) -> String {
    let mut digest = Sha256::new();
    digest.update(files.as_bytes());
    for boundary in boundaries {
        digest.update(boundary.attribute().len().to_le_bytes());
        digest.update(boundary.attribute().as_bytes());
        digest.update(boundary.space().to_string().as_bytes());
        for value in boundary.normal().iter().chain([&boundary.intercept()]) {
            digest.update(value.to_le_bytes());
        }
    }
    digest.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string cannot fail");
        hex
    })
}
