//! The document of a model in a store: its files, and the parts of their content.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::catalog::CatalogError;
use crate::catalog::model_folder::MANIFEST;

/// The files of a published model. Its content is in parts, which are named by their SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ModelDocument {
    pub(super) name: String,
    pub(super) files: Vec<PublishedFile>,
}

/// A file of a published model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct PublishedFile {
    /// The path in the model folder, with `/`.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) parts: Vec<PublishedPart>,
}

/// A part of the content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct PublishedPart {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl ModelDocument {
    /// Reads the document of the model `name`. `file` is its name in messages.
    pub(super) fn parse(file: &str, name: &str, bytes: &[u8]) -> Result<Self, CatalogError> {
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| wrong(file, &error.to_string()))?;
        document.check(name).map_err(|reason| wrong(file, &reason))?;
        Ok(document)
    }

    /// The content of the document's file.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a document has numbers and texts only");
        text.push(b'\n');
        text
    }

    /// The name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many files the model has.
    #[must_use]
    pub fn file_count(&self) -> usize {
        self.files.len()
    }

    /// All bytes of the model.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The digests of all parts.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = self.files.iter().flat_map(|file| &file.parts);
        parts.map(|part| part.sha256.as_str())
    }

    fn check(&self, name: &str) -> Result<(), String> {
        if self.name != name {
            return Err(format!("found the name {:?}, expected {name:?}", self.name));
        }
        let mut paths = BTreeSet::new();
        for PublishedFile {
            path,
            bytes,
            sha256,
            parts,
        } in &self.files
        {
            check_path(path)?;
            if !paths.insert(path.as_str()) {
                return Err(format!("found the file {path:?} twice, expected it once"));
            }
            let digests = parts.iter().map(|part| &part.sha256).chain([sha256]);
            if let Some(found) = digests.into_iter().find(|digest| !is_digest(digest)) {
                return Err(format!(
                    "{path}: found the SHA-256 {found:?}, expected 64 hexadecimal digits"
                ));
            }
            let in_parts = parts
                .iter()
                .try_fold(0u64, |sum, part| sum.checked_add(part.bytes));
            if in_parts != Some(*bytes) {
                return Err(format!(
                    "{path}: found {bytes} bytes, expected as many as its parts have"
                ));
            }
        }
        if paths.contains(MANIFEST) {
            Ok(())
        } else {
            Err(format!("found no {MANIFEST}, expected one among the files"))
        }
    }
}

/// An error of the document `file`.
fn wrong(file: &str, reason: &str) -> CatalogError {
    CatalogError::StoredModel {
        file: file.to_owned(),
        reason: format!("{reason}; publish the model again"),
    }
}

/// Checks that a path stays in its folder.
pub(super) fn check_path(path: &str) -> Result<(), String> {
    let is_name = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0']);
    if path.split('/').all(is_name) {
        return Ok(());
    }
    Err(format!(
        "found the path {path:?}, expected names with '/' between them, none of which is empty or begins with a dot"
    ))
}

/// Whether a text is a SHA-256 in hexadecimal.
pub(super) fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str) -> ModelDocument {
        let digest = "0".repeat(64);
        let part = PublishedPart {
            bytes: 3,
            sha256: digest.clone(),
        };
        let file = |path: &str| PublishedFile {
            path: path.to_owned(),
            bytes: 6,
            sha256: digest.clone(),
            parts: vec![part.clone(), part.clone()],
        };
        ModelDocument {
            name: "faces".to_owned(),
            files: vec![file("manifest.toml"), file(path)],
        }
    }

    fn parse(document: &ModelDocument) -> Result<ModelDocument, String> {
        ModelDocument::parse("models/faces.json", "faces", &document.write())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_document_is_read_as_it_was_written() {
        let written = document("boundaries/hair %20.npy");
        assert_eq!(parse(&written), Ok(written));
    }

    #[test]
    fn no_path_leaves_the_folder_or_is_hidden() {
        for path in [
            "../a",
            "a/../b",
            "/etc/passwd",
            "./a",
            "a/./b",
            "a//b",
            "a/",
            "",
            ".hidden",
            "a/.b",
            "..",
            "a\\b",
            "a\0",
        ] {
            let reason = parse(&document(path)).unwrap_err();
            assert!(
                reason.starts_with("models/faces.json: found the path"),
                "{path:?}: {reason}"
            );
        }
    }

    #[test]
    fn a_wrong_document_is_an_error_that_says_what_is_wrong() {
        let mut other = document("a");
        other.name = "other".to_owned();
        let mut short = document("a");
        short.files[1].bytes = 5;
        let mut huge = document("a");
        huge.files[1].parts[0].bytes = u64::MAX;
        let mut digest = document("a");
        digest.files[1].parts[0].sha256 = "../manifest".to_owned();
        let mut bare = document("a");
        bare.files.remove(0);
        for (wrong, expected) in [
            (document("manifest.toml"), "twice"),
            (other, "found the name \"other\", expected \"faces\""),
            (short, "found 5 bytes"),
            (huge, "found 6 bytes"),
            (digest, "64 hexadecimal digits"),
            (bare, "found no manifest.toml"),
        ] {
            let reason = parse(&wrong).unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
