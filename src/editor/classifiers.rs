//! The classifiers of one model: which attributes they score, and in which column of their output.

use std::sync::Arc;

use crate::catalog::{ClassifierFiles, OutputEntry};
use crate::editor::EditorError;

/// The outputs of a model's classifiers, side by side as columns.
#[derive(Clone)]
pub(crate) struct Classifiers {
    /// The model's name, for error messages.
    model: Arc<str>,
    outputs: Arc<[OutputEntry]>,
    /// For each output, the file of its classifier and the SHA-256 of that file; of several classifiers, separated by commas.
    files: Arc<[(String, String)]>,
    /// For each output, the values of black and white that its classifier takes, before mean and standard deviation.
    ranges: Arc<[[f32; 2]]>,
}

impl Classifiers {
    /// The classifiers of `model`: `outputs` in the manifest's order, and the files in `packages`.
    pub(crate) fn new(model: Arc<str>, outputs: Vec<OutputEntry>, packages: &[ClassifierFiles]) -> Self {
        let digests: Vec<_> = packages.iter().map(ClassifierFiles::digest).collect();
        let scores = |one: &ClassifierFiles, attribute: &str| {
            let mut outputs = one.entry.outputs.iter();
            outputs.any(|output| output.attribute == attribute)
        };
        let file = |output: &OutputEntry| {
            let all = packages.iter().zip(&digests);
            let files = all.filter(|(one, _)| scores(one, &output.attribute));
            let files = files.map(|(one, digest)| (one.entry.file.clone(), digest.clone()));
            let (files, digests): (Vec<_>, Vec<_>) = files.unzip();
            (files.join(", "), digests.join(", "))
        };
        let files = outputs.iter().map(file).collect();
        let range = |output: &OutputEntry| {
            let first = packages.iter().find(|one| scores(one, &output.attribute));
            first.map_or([-1.0, 1.0], |one| one.entry.input.range())
        };
        let ranges = outputs.iter().map(range).collect();
        Self {
            model,
            outputs: outputs.into(),
            files,
            ranges,
        }
    }

    /// The outputs, in the order of the columns.
    pub(crate) fn outputs(&self) -> &[OutputEntry] {
        &self.outputs
    }

    /// The file of the classifier behind a column and the file's SHA-256, if they are known.
    pub(crate) fn file(&self, column: usize) -> Option<&(String, String)> {
        self.files.get(column)
    }

    /// The values of black and white that the classifier behind a column takes, before mean and standard deviation.
    pub(crate) fn range(&self, column: usize) -> [f32; 2] {
        self.ranges[column]
    }

    /// The attributes, in the order of the columns.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> + Clone {
        self.outputs.iter().map(|output| output.attribute.as_str())
    }

    /// The column that scores `attribute`.
    ///
    /// # Errors
    /// [`EditorError::NotScored`] if there is none.
    pub(crate) fn column(&self, attribute: &str) -> Result<usize, EditorError> {
        let column = self.attributes().position(|scored| scored == attribute);
        column.ok_or_else(|| EditorError::NotScored {
            model: self.model.to_string(),
            found: attribute.to_owned(),
            known: self.attributes().map(str::to_owned).collect(),
        })
    }

    /// Checks that the model has at least one classifier.
    ///
    /// # Errors
    /// [`EditorError::NoClassifier`] if it has none.
    pub(crate) fn require_any(&self) -> Result<(), EditorError> {
        if self.outputs.is_empty() {
            let model = self.model.to_string();
            return Err(EditorError::NoClassifier { model });
        }
        Ok(())
    }
}
