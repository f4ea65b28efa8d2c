//! Several classifiers that score some attributes together.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView4, Axis};

use crate::catalog::OutputEntry;
use crate::engine::onnx::classifier::OnnxClassifier;
use crate::engine::{Classifier, EngineError};

/// Classifiers of which several score the same attribute: the score is their mean.
pub(crate) struct ClassifierMean {
    classifiers: Vec<OnnxClassifier>,
    /// For each output of each classifier, in order, the column of the scores that it has a part in.
    columns: Vec<usize>,
    /// For each column of the scores, the number of outputs that have a part in it.
    counts: Vec<f32>,
}

impl ClassifierMean {
    /// Classifiers with these outputs, side by side. The columns of the scores are the attributes, in the order of their first outputs.
    pub(crate) fn new<'a>(
        classifiers: Vec<OnnxClassifier>,
        outputs: impl Iterator<Item = &'a OutputEntry>,
    ) -> Self {
        let (mut known, mut columns, mut counts) = (BTreeMap::new(), Vec::new(), Vec::new());
        for output in outputs {
            let column = *known.entry(&output.attribute).or_insert(counts.len());
            if column == counts.len() {
                counts.push(0.0);
            }
            counts[column] += 1.0;
            columns.push(column);
        }
        Self {
            classifiers,
            columns,
            counts,
        }
    }
}

impl Classifier for ClassifierMean {
    fn score(&mut self, images: ArrayView4<'_, f32>) -> Result<Array2<f32>, EngineError> {
        let mut scores = Array2::zeros((images.dim().0, self.counts.len()));
        let mut columns = self.columns.iter();
        for classifier in &mut self.classifiers {
            let found = classifier.score(images)?;
            for (output, &column) in found.axis_iter(Axis(1)).zip(&mut columns) {
                scores
                    .column_mut(column)
                    .scaled_add(1.0 / self.counts[column], &output);
            }
        }
        Ok(scores)
    }
}
