//! The recipe of a batch: everything that its files depend on.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::BatchFolderError;

/// The settings that the files of a batch depend on. Shards with equal recipes can share a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchRecipe {
    /// The version of the program.
    pub faceplane: String,
    /// The name of the model.
    pub model: String,
    /// Digest of the model's files and boundaries.
    pub digest: String,
    /// The kind of device: results of a CPU and of a GPU differ in the last bits.
    pub device: String,
    /// The build of ONNX Runtime, which can change the last bits of results; empty in files of earlier versions.
    #[serde(default)]
    pub onnxruntime: String,
    /// The threads of each network, which can change them too; 0 in files of earlier versions.
    #[serde(default)]
    pub threads: usize,
    /// The first and the last seed.
    pub seeds: String,
    /// The images of a run of the generator.
    pub batch_size: usize,
    /// The edits, the space, the truncation and the options of pictures, in the API's words.
    pub request: Map<String, Value>,
    /// The format of the pictures; absent if there are none.
    pub pictures: Option<String>,
    /// Whether faces are scored.
    pub scores: bool,
    /// The limits on the scores of a face.
    pub keep: Vec<String>,
    /// The limits on the scores before the edits.
    pub keep_original: Vec<String>,
    /// The least similarity to the face before the edits.
    pub keep_similar: Option<f64>,
}

impl BatchRecipe {
    /// Reads a recipe. `file` is its name in messages.
    pub(super) fn read(bytes: &[u8], file: &Path) -> Result<Self, BatchFolderError> {
        serde_json::from_slice(bytes).map_err(|error| BatchFolderError::Damaged {
            file: file.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Refuses the recipe of a command that differs from this one of a `folder`.
    pub(super) fn check_same(&self, other: &Self, folder: &Path) -> Result<(), BatchFolderError> {
        let differences = self.differences(other);
        if differences.is_empty() {
            return Ok(());
        }
        let folder = folder.to_owned();
        Err(BatchFolderError::OtherSettings { folder, differences })
    }

    /// The recipe as a JSON file.
    pub(super) fn write(&self) -> Vec<u8> {
        let text = serde_json::to_string_pretty(self).expect("a recipe is JSON");
        (text + "\n").into_bytes()
    }

    /// Whether the batch edits faces.
    #[must_use]
    pub fn has_edits(&self) -> bool {
        self.request.contains_key("edits")
    }

    /// What differs between this recipe of a folder and the `other` one of a command; empty if they are equal.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let value = |recipe: &Self| serde_json::to_value(recipe).expect("a recipe is JSON");
        let mut found = Vec::new();
        compare("", &value(self), &value(other), &mut found);
        found
    }
}

/// Adds the keys below `path` with other values.
fn compare(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    if let (Value::Object(old), Value::Object(new)) = (old, new) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let path = match path {
                "" | "request" => key.clone(),
                path => format!("{path}.{key}"),
            };
            let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
            compare(&path, &of(old), &of(new), found);
        }
    } else if old != new {
        let shown = |value: &Value| match value {
            Value::Null => "none".to_owned(),
            value => value.to_string(),
        };
        found.push(format!("{path} was {}, and is now {}", shown(old), shown(new)));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A recipe of the seeds 0 to 599.
    pub(in crate::catalog::batch) fn recipe() -> BatchRecipe {
        BatchRecipe {
            faceplane: "1.0.0".to_owned(),
            model: "phantom".to_owned(),
            digest: "abc".to_owned(),
            device: "cpu".to_owned(),
            onnxruntime: "def".to_owned(),
            threads: 2,
            seeds: "0-599".to_owned(),
            batch_size: 1,
            request: Map::from_iter([("psi".to_owned(), json!(0.7))]),
            pictures: Some("png".to_owned()),
            scores: true,
            keep: vec!["smile>=0.5".to_owned()],
            keep_original: Vec::new(),
            keep_similar: None,
        }
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        let (old, mut new) = (recipe(), recipe());
        assert_eq!(old.differences(&new), Vec::<String>::new());
        new.seeds = "0-9".to_owned();
        new.pictures = None;
        new.request = Map::from_iter([("psi".to_owned(), json!(0.5)), ("space".to_owned(), json!("w"))]);
        let mut found = old.differences(&new);
        found.sort();
        assert_eq!(
            found,
            [
                "pictures was \"png\", and is now none",
                "psi was 0.7, and is now 0.5",
                "seeds was \"0-599\", and is now \"0-9\"",
                "space was none, and is now \"w\"",
            ]
        );
    }
}
