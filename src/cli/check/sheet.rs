//! The contact sheet: the faces, each with its scores below.

use crate::editor::{Findings, ScoreFindings};
use crate::imaging::{Image, ImagingError, SheetLayout, arrange, captioned};

/// Most letters of an attribute's name below a face.
const NAME: usize = 10;

/// Letters in the longest line: a sign, the name, and a score such as ` -100.00`.
const LETTERS: usize = 1 + NAME + 8;

/// The faces on one sheet. Below each are its seed and its scores; `+` marks a score above the threshold.
pub(super) fn contact_sheet(findings: &Findings) -> Result<Image, ImagingError> {
    let captioned = |(index, (seed, image)): (usize, &(u32, Image))| {
        let scores = findings.scores.iter().filter_map(|found| line(found, index));
        let lines: Vec<_> = [format!("seed {seed}")].into_iter().chain(scores).collect();
        captioned(image, &lines, LETTERS)
    };
    let cells: Vec<_> = findings.faces.iter().enumerate().map(captioned).collect();
    arrange(&cells, SheetLayout::Grid)
}

fn line(found: &ScoreFindings, face: usize) -> Option<String> {
    let value = *found.values.get(face)?;
    let name: String = found.attribute.chars().take(NAME).collect();
    let side = if f64::from(value) > found.threshold {
        '+'
    } else {
        ' '
    };
    Some(format!("{side}{name} {value:.2}"))
}
