//! What the command prints: a table with warnings, or JSON.

use std::path::Path;

use serde::Serialize;

use crate::editor::{Findings, ScoreFindings};

/// The findings, as they are printed.
#[derive(Serialize)]
pub(super) struct Report {
    folder: String,
    sheet: String,
    faces: usize,
    scores: Vec<ScoreReport>,
    /// Of how many faces the landmark graph found eyes and mouth.
    #[serde(skip_serializing_if = "Option::is_none")]
    landmarks: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityReport>,
    /// How many faces are most similar to themselves after encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoder: Option<usize>,
    warnings: Vec<String>,
}

/// The scores of an attribute.
#[derive(Serialize)]
struct ScoreReport {
    attribute: String,
    threshold: f64,
    /// The number of faces above the threshold.
    above: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    spread: Option<Spread>,
    values: Vec<f32>,
}

#[derive(Serialize)]
struct Spread {
    lowest: f64,
    mean: f64,
    highest: f64,
}

/// Mean cosines of embeddings.
#[derive(Serialize)]
struct IdentityReport {
    same_face_changed: f64,
    different_faces: f64,
}

impl Report {
    pub(super) fn new(folder: &Path, sheet: &Path, findings: &Findings) -> Self {
        Self {
            folder: folder.display().to_string(),
            sheet: sheet.display().to_string(),
            faces: findings.faces.len(),
            scores: findings.scores.iter().map(ScoreReport::new).collect(),
            landmarks: findings.landmarks,
            identity: findings.identity.map(|identity| IdentityReport {
                same_face_changed: identity.same,
                different_faces: identity.different,
            }),
            encoder: findings.encoder,
            warnings: findings.warnings(),
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has no keys that JSON cannot have")
    }

    /// A table of the scores, a line for each other network, and the warnings.
    pub(super) fn text(&self) -> String {
        let faces = self.faces;
        let mut lines = vec![format!(
            "{}: {faces} faces, on the sheet {}",
            self.folder, self.sheet
        )];
        if !self.scores.is_empty() {
            let width = self.scores.iter().map(|score| score.attribute.chars().count());
            let width = width.max().unwrap_or(0).max("attribute".len());
            let columns = ["lowest", "mean", "highest", "threshold"].map(|column| format!("{column:>10}"));
            lines.push(format!("{:width$}{}  above", "attribute", columns.concat()));
            lines.extend(self.scores.iter().map(|score| score.line(width, faces)));
        }
        lines.extend(
            self.landmarks.map(|found| {
                format!("landmarks: eyes and mouth inside the image in {found} of {faces} faces")
            }),
        );
        lines.extend(self.identity.as_ref().map(|identity| {
            format!(
                "identity: cosine {:.2} for the same face, slightly changed, {:.2} for different faces",
                identity.same_face_changed, identity.different_faces
            )
        }));
        lines.extend(self.encoder.map(|found| {
            format!("encoder: {found} of {faces} faces are most similar to themselves after encoding")
        }));
        lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        lines.join("\n")
    }
}

impl ScoreReport {
    fn new(found: &ScoreFindings) -> Self {
        Self {
            attribute: found.attribute.clone(),
            threshold: found.threshold,
            above: found.above(),
            spread: found.spread().map(|[lowest, mean, highest]| Spread {
                lowest,
                mean,
                highest,
            }),
            values: found.values.clone(),
        }
    }

    fn line(&self, width: usize, faces: usize) -> String {
        let Self {
            attribute,
            threshold,
            above,
            ..
        } = self;
        match &self.spread {
            Some(Spread {
                lowest,
                mean,
                highest,
            }) => format!(
                "{attribute:width$}{lowest:>10.3}{mean:>10.3}{highest:>10.3}{threshold:>10.3}  {above} of {faces}"
            ),
            None => format!("{attribute:width$}  no scores"),
        }
    }
}
