//! The boundaries of one model: looking them up, and sets with one more or one less.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::editor::EditorError;
use crate::latent::{Boundary, LatentCode, LatentSpace};

/// Longest attribute name, in characters.
const LONGEST_NAME: usize = 64;

/// The boundaries of one model, at most one for each attribute and space.
///
/// A set never changes; `with` and `without` return another one.
#[derive(Clone)]
pub struct BoundarySet {
    /// The model's name, for error messages.
    model: Arc<str>,
    /// Attributes and spaces of the boundaries in the model folder.
    shipped: Arc<[(String, LatentSpace)]>,
    boundaries: Vec<Arc<Boundary>>,
}

impl BoundarySet {
    /// The boundaries that the folder of `model` has.
    pub(crate) fn shipped(model: Arc<str>, boundaries: impl IntoIterator<Item = Boundary>) -> Self {
        let boundaries: Vec<_> = boundaries.into_iter().map(Arc::new).collect();
        let named = |boundary: &Arc<Boundary>| (boundary.attribute().to_owned(), boundary.space());
        Self {
            model,
            shipped: boundaries.iter().map(named).collect(),
            boundaries,
        }
    }

    /// All boundaries.
    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Boundary>> {
        self.boundaries.iter()
    }

    /// Whether the model folder has a boundary of `attribute` in `space`.
    pub(crate) fn is_shipped(&self, attribute: &str, space: LatentSpace) -> bool {
        let same = |(own, own_space): &(String, LatentSpace)| own == attribute && *own_space == space;
        self.shipped.iter().any(same)
    }

    /// The boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] if there is none; it lists the boundaries that exist.
    pub fn get(&self, attribute: &str, space: LatentSpace) -> Result<&Arc<Boundary>, EditorError> {
        let position = self.position(attribute, space);
        let found = position.map(|position| &self.boundaries[position]);
        found.ok_or_else(|| EditorError::UnknownAttribute {
            model: self.model.to_string(),
            found: attribute.to_owned(),
            space,
            known: self
                .iter()
                .map(|boundary| (boundary.attribute().to_owned(), boundary.space()))
                .collect(),
        })
    }

    /// The boundaries of `attributes` that apply to codes in `space`, in the order of `attributes`.
    ///
    /// A w+ code moves along w+ boundaries if every attribute has one. Otherwise it moves along w boundaries, by the
    /// same shift on each layer.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] for the first attribute without a boundary.
    pub(crate) fn of_attributes(
        &self,
        attributes: &[&str],
        space: LatentSpace,
    ) -> Result<Vec<Arc<Boundary>>, EditorError> {
        let find = |space: LatentSpace| {
            let own = |attribute: &&str| self.get(attribute, space).cloned();
            attributes.iter().map(own).collect::<Result<Vec<_>, _>>()
        };
        match space {
            LatentSpace::WPlus => find(LatentSpace::WPlus).or_else(|_| find(LatentSpace::W)),
            LatentSpace::Z | LatentSpace::W => find(space),
        }
    }

    /// The signed distance of `code` from the boundary of each attribute, for attributes with a boundary that can
    /// measure it. If an attribute has two, the boundary in the code's own space measures.
    pub(crate) fn distances(&self, code: &LatentCode) -> BTreeMap<String, f64> {
        let mut distances = BTreeMap::new();
        let other_spaces_first = |boundary: &&Arc<Boundary>| boundary.space() == code.space();
        let mut boundaries: Vec<_> = self.iter().collect();
        boundaries.sort_by_key(other_spaces_first);
        for boundary in boundaries {
            if let Ok(distance) = boundary.signed_distance(code) {
                distances.insert(boundary.attribute().to_owned(), distance);
            }
        }
        distances
    }

    /// The same set with `boundary` added; it replaces the one of the same attribute and space.
    ///
    /// # Errors
    /// [`EditorError::AttributeName`] if the attribute's name is too long, has blanks around it, or has control
    /// characters, because it must fit into a URL.
    pub(crate) fn with(&self, boundary: Boundary) -> Result<Self, EditorError> {
        let (attribute, space) = (boundary.attribute(), boundary.space());
        let too_long = attribute.chars().count() > LONGEST_NAME;
        if too_long || attribute.trim() != attribute || attribute.chars().any(char::is_control) {
            return Err(EditorError::AttributeName {
                found: attribute.chars().take(2 * LONGEST_NAME).collect(),
            });
        }
        let mut changed = self.clone();
        match self.position(attribute, space) {
            Some(position) => changed.boundaries[position] = Arc::new(boundary),
            None => changed.boundaries.push(Arc::new(boundary)),
        }
        Ok(changed)
    }

    /// The same set without the boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] if there is none.
    pub(crate) fn without(&self, attribute: &str, space: LatentSpace) -> Result<Self, EditorError> {
        let removed = Arc::clone(self.get(attribute, space)?);
        let mut changed = self.clone();
        changed
            .boundaries
            .retain(|boundary| !Arc::ptr_eq(boundary, &removed));
        Ok(changed)
    }

    /// SHA-256 over the digest of the model's other files and these boundaries, in hexadecimal. Models with equal
    /// digests edit alike.
    pub(crate) fn digest(&self, files: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(files.as_bytes());
        for boundary in self {
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

    fn position(&self, attribute: &str, space: LatentSpace) -> Option<usize> {
        let same = |boundary: &Arc<Boundary>| boundary.attribute() == attribute && boundary.space() == space;
        self.boundaries.iter().position(same)
    }
}

impl<'a> IntoIterator for &'a BoundarySet {
    type Item = &'a Arc<Boundary>;
    type IntoIter = std::slice::Iter<'a, Arc<Boundary>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
