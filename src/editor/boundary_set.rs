//! The boundaries of one model: looking them up, sets with one more or one less, and those that came with the model.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::catalog::hexadecimal;
use crate::editor::blocking::run_blocking;
use crate::editor::{EditorError, OriginalError};
use crate::latent::{Boundary, LatentCode, LatentSpace, StyleChannel};

/// Most boundaries that an error lists.
const MOST_LISTED: usize = 20;

/// An attribute and a space: the key of a boundary in a model.
pub type BoundaryKey = (Arc<str>, LatentSpace);

/// Most products of values that are summed on an async thread: they take less than 0.1 ms.
const FEW_PRODUCTS: usize = 1 << 16;

/// The boundaries of one model, at most one for each attribute and space, in the order of attributes and spaces. Clones share
/// the boundaries.
///
/// A boundary that came with the model, an *original*, is never lost: another one replaces it until that one is deleted.
///
/// No two attributes have names that differ by case only, because some file systems could not store both.
#[derive(Clone)]
pub struct BoundarySet {
    /// The model's name, for error messages.
    model: Arc<str>,
    boundaries: Arc<BTreeMap<BoundaryKey, Entry>>,
    /// Each attribute by its name without case. Those of originals stay.
    spellings: Arc<BTreeMap<String, Arc<str>>>,
    /// The boundaries that came with the model.
    originals: Arc<BTreeMap<BoundaryKey, Entry>>,
    /// Memory of the boundaries and the originals.
    bytes: usize,
}

/// Where a boundary of a set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundaryOrigin {
    /// It came with the model: an original.
    Model,
    /// It replaces an original.
    Replacement,
    /// It was added, and replaces no original.
    Addition,
}

/// Which of the boundaries of an attribute in a space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoundaryVersion {
    /// The one that edits use.
    #[default]
    Current,
    /// The one that came with the model.
    Original,
}

#[derive(Clone)]
struct Entry {
    boundary: Arc<Boundary>,
    /// SHA-256 of the boundary, taken once, so that a change does not read all others again.
    digest: [u8; 32],
}

impl BoundarySet {
    /// The boundaries that the folder of `model` has.
    pub(crate) fn shipped(model: Arc<str>, boundaries: impl IntoIterator<Item = Boundary>) -> Self {
        let mut set = Self {
            model,
            boundaries: Arc::default(),
            spellings: Arc::default(),
            originals: Arc::default(),
            bytes: 0,
        };
        for boundary in boundaries {
            set.replace(Arc::new(boundary));
        }
        set.originals = Arc::clone(&set.boundaries);
        set
    }

    /// Whether exactly these boundaries came with the model.
    pub(crate) fn has_originals(&self, boundaries: &[(String, Boundary)]) -> bool {
        let is_original = |(_, boundary): &(String, Boundary)| {
            let original = self.original(boundary.attribute(), boundary.space());
            original.is_some_and(|original| *original.boundary == *boundary)
        };
        boundaries.len() == self.originals.len() && boundaries.iter().all(is_original)
    }

    /// The name of the model.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// All boundaries, in the order of attributes and spaces.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Boundary>> {
        self.boundaries.values().map(|entry| &entry.boundary)
    }

    /// The boundaries of a `version` after `key`, in the order of attributes and spaces; all of them for `None`. The set need not
    /// have `key`.
    pub fn after(
        &self,
        version: BoundaryVersion,
        key: Option<BoundaryKey>,
    ) -> impl Iterator<Item = &Arc<Boundary>> {
        let start = key.map_or(Bound::Unbounded, Bound::Excluded);
        let after = self.of_version(version).range((start, Bound::Unbounded));
        after.map(|(_, entry)| &entry.boundary)
    }

    /// The number of boundaries of a `version`.
    #[must_use]
    pub fn count(&self, version: BoundaryVersion) -> usize {
        self.of_version(version).len()
    }

    /// Memory of the boundaries and the originals, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where `boundary` comes from, which is or was one of this set.
    #[must_use]
    pub fn origin(&self, boundary: &Arc<Boundary>) -> BoundaryOrigin {
        match self.original(boundary.attribute(), boundary.space()) {
            Some(original) if Arc::ptr_eq(&original.boundary, boundary) => BoundaryOrigin::Model,
            Some(_) => BoundaryOrigin::Replacement,
            None => BoundaryOrigin::Addition,
        }
    }

    fn original(&self, attribute: &str, space: LatentSpace) -> Option<&Entry> {
        self.originals.get(&(attribute.into(), space))
    }

    fn of_version(&self, version: BoundaryVersion) -> &BTreeMap<BoundaryKey, Entry> {
        match version {
            BoundaryVersion::Current => &self.boundaries,
            BoundaryVersion::Original => &self.originals,
        }
    }

    /// The boundary of `attribute` in `space`, if there is one.
    #[must_use]
    pub fn find(&self, attribute: &str, space: LatentSpace) -> Option<&Arc<Boundary>> {
        let found = self.boundaries.get(&(attribute.into(), space));
        found.map(|entry| &entry.boundary)
    }

    /// The boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] if there is none; it lists the first boundaries that exist.
    pub fn get(&self, attribute: &str, space: LatentSpace) -> Result<&Arc<Boundary>, EditorError> {
        self.find(attribute, space)
            .ok_or_else(|| self.unknown(attribute, space))
    }

    /// A `version` of the boundary of `attribute` in `space`.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] if there is none, [`OriginalError::Missing`] if none came with the model.
    pub fn get_version(
        &self,
        version: BoundaryVersion,
        attribute: &str,
        space: LatentSpace,
    ) -> Result<&Arc<Boundary>, EditorError> {
        if version == BoundaryVersion::Current {
            return self.get(attribute, space);
        }
        let original = self.original(attribute, space);
        let original = original.ok_or_else(|| OriginalError::Missing {
            model: self.model.to_string(),
            attribute: attribute.to_owned(),
            space,
        })?;
        Ok(&original.boundary)
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
            LatentSpace::Z | LatentSpace::W | LatentSpace::S => find(space),
        }
    }

    /// For each code, its signed distance from the boundary of each attribute, for attributes with a boundary that can measure
    /// it. If an attribute has two, the boundary in the code's own space measures.
    pub(crate) async fn distances(&self, codes: &[LatentCode]) -> Vec<BTreeMap<String, f64>> {
        let values: usize = codes.iter().map(|code| code.values().len()).sum();
        if values * self.boundaries.len() <= FEW_PRODUCTS {
            return codes.iter().map(|code| self.distances_of(code)).collect();
        }
        let (set, codes) = (self.clone(), codes.to_vec());
        run_blocking(move || codes.iter().map(|code| set.distances_of(code)).collect()).await
    }

    fn distances_of(&self, code: &LatentCode) -> BTreeMap<String, f64> {
        let mut distances = BTreeMap::new();
        for boundary in self.iter() {
            let is_better = boundary.space() == code.space() || !distances.contains_key(boundary.attribute());
            if is_better && let Ok(distance) = boundary.signed_distance(code) {
                distances.insert(boundary.attribute().to_owned(), distance);
            }
        }
        distances
    }

    /// Adds `boundary`; it replaces the one of the same attribute and space.
    ///
    /// # Errors
    /// [`EditorError::SimilarAttribute`] if the name of the attribute differs from another one by case only.
    pub(crate) fn insert(&mut self, boundary: Arc<Boundary>) -> Result<(), EditorError> {
        self.check_spelling(boundary.attribute())?;
        self.replace(boundary);
        Ok(())
    }

    /// Deletes the boundary of `attribute` in `space`. If it replaces or hides an original, the original is back.
    ///
    /// # Errors
    /// [`EditorError::UnknownAttribute`] if there is none, [`OriginalError::Undeletable`] if it is an original.
    pub(crate) fn delete(&mut self, attribute: &str, space: LatentSpace) -> Result<(), EditorError> {
        let key = (attribute.into(), space);
        let Some(original) = self.originals.get(&key) else {
            self.get(attribute, space)?;
            self.take(&key);
            let has = |&space: &LatentSpace| {
                self.find(attribute, space).is_some() || self.original(attribute, space).is_some()
            };
            if !LatentSpace::ALL.iter().any(has) {
                Arc::make_mut(&mut self.spellings).remove(&attribute.to_lowercase());
            }
            return Ok(());
        };
        let original = original.clone();
        let current = self.find(attribute, space);
        if current.is_some_and(|current| Arc::ptr_eq(current, &original.boundary)) {
            let model = self.model.to_string();
            let attribute = attribute.to_owned();
            return Err(OriginalError::Undeletable {
                model,
                attribute,
                space,
            }
            .into());
        }
        self.take(&key);
        Arc::make_mut(&mut self.boundaries).insert(key, original);
        Ok(())
    }

    /// Takes a boundary out, if there is one. If it came with the model, it is hidden, and stays in memory.
    pub(crate) fn take(&mut self, key: &BoundaryKey) {
        if let Some(taken) = Arc::make_mut(&mut self.boundaries).remove(key) {
            self.bytes -= self.bytes_besides_originals(&taken.boundary);
        }
    }

    /// The memory that is free when `boundary` of this set is replaced, in bytes: none for an original, which stays.
    pub(crate) fn bytes_besides_originals(&self, boundary: &Arc<Boundary>) -> usize {
        match self.origin(boundary) {
            BoundaryOrigin::Model => 0,
            BoundaryOrigin::Replacement | BoundaryOrigin::Addition => bytes(boundary),
        }
    }

    /// Checks that no other attribute has this name in another case.
    ///
    /// # Errors
    /// [`EditorError::SimilarAttribute`].
    pub(crate) fn check_spelling(&self, attribute: &str) -> Result<(), EditorError> {
        let known = self.spellings.get(&attribute.to_lowercase());
        match known.filter(|known| ***known != *attribute) {
            None => Ok(()),
            Some(known) => Err(EditorError::SimilarAttribute {
                model: self.model.to_string(),
                found: attribute.to_owned(),
                known: known.to_string(),
            }),
        }
    }

    /// SHA-256 over the digest of the model's other files and these boundaries, in hexadecimal. Models with equal
    /// digests edit alike.
    pub(crate) fn digest(&self, files: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(files.as_bytes());
        for entry in self.boundaries.values() {
            digest.update(entry.digest);
        }
        hexadecimal(&digest.finalize())
    }

    fn replace(&mut self, boundary: Arc<Boundary>) {
        let attribute: Arc<str> = boundary.attribute().into();
        Arc::make_mut(&mut self.spellings).insert(attribute.to_lowercase(), Arc::clone(&attribute));
        self.bytes += bytes(&boundary);
        let digest = digest(&boundary);
        let key = (attribute, boundary.space());
        self.take(&key);
        Arc::make_mut(&mut self.boundaries).insert(key, Entry { boundary, digest });
    }

    fn unknown(&self, attribute: &str, space: LatentSpace) -> EditorError {
        let known = self.boundaries.keys().take(MOST_LISTED);
        EditorError::UnknownAttribute {
            model: self.model.to_string(),
            found: attribute.to_owned(),
            space,
            known: known.map(|(own, space)| (own.to_string(), *space)).collect(),
            others: self.boundaries.len().saturating_sub(MOST_LISTED),
        }
    }
}

/// SHA-256 of what an edit along a boundary depends on.
fn digest(boundary: &Boundary) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(boundary.attribute().len().to_le_bytes());
    digest.update(boundary.attribute().as_bytes());
    digest.update(boundary.space().to_string().as_bytes());
    for value in boundary.normal().iter().chain([&boundary.intercept()]) {
        digest.update(value.to_le_bytes());
    }
    // It changes edits by `unit=file`.
    if let Some(length) = boundary.provenance().length {
        digest.update(length.to_le_bytes());
    }
    digest.finalize().into()
}

/// Memory of a boundary, in bytes.
pub(crate) fn bytes(boundary: &Boundary) -> usize {
    let known = boundary.provenance();
    let texts = [
        &known.classifier,
        &known.classifier_digest,
        &known.model,
        &known.method,
        &known.date,
        &known.sampling,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let effect = |(name, _): &(String, f64)| size_of::<(String, f64)>() + name.len();
    let channel =
        |one: &StyleChannel| size_of::<StyleChannel>() + one.effects.iter().map(effect).sum::<usize>();
    let channels: usize = known.channels.iter().map(channel).sum();
    let numbers = size_of::<f64>() * boundary.normal().len();
    size_of::<Boundary>() + boundary.attribute().len() + numbers + texts + channels
}
