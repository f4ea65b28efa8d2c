//! What looks wrong in the findings of a check, in words.

use crate::editor::checking::findings::{Findings, IdentityFindings, ScoreFindings};

/// The share of faces on the rarer side of the threshold from which on another range is suggested.
const BALANCED: f64 = 0.15;
/// The largest cosine of different faces that an identity graph which works gives on average.
const DIFFERENT: f64 = 0.8;
/// The cosine of a slightly changed face must be above the one of different faces by this.
const MARGIN: f64 = 0.1;
/// The share of faces for which a landmark graph and an encoder must work.
const MOST: f64 = 0.5;

impl Findings {
    /// What looks wrong. Empty if nothing does.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let faces = self.faces.len();
        let mut warnings = self.failures.clone();
        warnings.extend(self.scores.iter().filter_map(ScoreFindings::warning));
        if let Some(found) = self.landmarks.filter(|&found| is_few(found, faces)) {
            warnings.push(format!(
                "landmarks: found eyes and mouth inside the image in only {found} of {faces} faces; check image_range, channels, \
                 unit, coordinates and points of [landmarks]"
            ));
        }
        warnings.extend(self.identity.as_ref().and_then(IdentityFindings::warning));
        if let Some(found) = self.encoder.filter(|&found| is_few(found, faces)) {
            warnings.push(format!(
                "encoder: only {found} of {faces} faces are most similar to themselves after encoding; check image_range, channels \
                 and adds_w_avg of [encoder], and whether it was trained for this generator"
            ));
        }
        warnings
    }
}

impl ScoreFindings {
    fn warning(&self) -> Option<String> {
        let Self {
            attribute,
            threshold,
            range: [black, white],
            ..
        } = self;
        let (faces, above) = (self.values.len(), self.above());
        let [lowest, _, highest] = self.spread()?;
        if faces < 2 || above > 0 && above < faces {
            return None;
        }
        let found = format!(
            "{attribute}: the score never changes sides: {above} of {faces} faces are above the threshold {threshold}, with scores \
             from {lowest:.3} to {highest:.3}"
        );
        let balance = |above: usize| share(above.min(faces - above), faces);
        let better = self
            .alternatives
            .iter()
            .filter(|(_, above)| balance(*above) >= BALANCED)
            .max_by_key(|(_, above)| (*above).min(faces - above));
        Some(match better {
            Some(([other_black, other_white], above)) => format!(
                "{found}; with image_range = [{other_black}, {other_white}] instead of [{black}, {white}], {above} would be: the \
                 range probably does not fit"
            ),
            None if highest - lowest < 1e-6 => {
                format!(
                    "{found}; it does not depend on the image: check image_range, channels and the column"
                )
            }
            None => format!(
                "{found}; check image_range, channels, activation, column and threshold, or look at more faces"
            ),
        })
    }
}

impl IdentityFindings {
    fn warning(&self) -> Option<String> {
        let Self { same, different } = self;
        let advice = "check image_range, channels, size and crop of [identity]";
        if *different > DIFFERENT {
            return Some(format!(
                "identity: embeddings of different faces hardly differ, their cosine is {different:.2} on average; {advice}"
            ));
        }
        (same - different < MARGIN).then(|| {
            format!(
                "identity: embeddings of the same face, slightly changed, do not agree: their cosine is {same:.2} on average, and \
                 {different:.2} for different faces; {advice}"
            )
        })
    }
}

fn is_few(found: usize, faces: usize) -> bool {
    share(found, faces) < MOST
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred faces")]
fn share(part: usize, all: usize) -> f64 {
    part as f64 / all.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smile(values: &[f32], alternatives: Vec<([f32; 2], usize)>) -> ScoreFindings {
        ScoreFindings {
            attribute: "smile".to_owned(),
            threshold: 0.0,
            range: [-1.0, 1.0],
            values: values.to_vec(),
            alternatives,
        }
    }

    #[test]
    fn a_score_that_changes_sides_is_no_warning() {
        assert_eq!(smile(&[-1.0, 2.0, -0.5], vec![([0.0, 255.0], 1)]).warning(), None);
    }

    #[test]
    fn a_range_with_which_the_score_changes_sides_is_suggested() {
        let warning = smile(&[-3.0, -2.0, -4.0], vec![([0.0, 1.0], 0), ([0.0, 255.0], 2)]).warning();
        let warning = warning.unwrap();
        assert!(warning.contains("never changes sides: 0 of 3"), "{warning}");
        assert!(
            warning.contains("image_range = [0, 255] instead of [-1, 1], 2 would be"),
            "{warning}"
        );
    }

    #[test]
    fn a_constant_score_is_said_to_be_one() {
        let warning = smile(&[1.0; 3], Vec::new()).warning().unwrap();
        assert!(warning.contains("does not depend on the image"), "{warning}");
    }

    #[test]
    fn embeddings_must_differ_between_faces_and_agree_for_one() {
        let warning = |same, different| IdentityFindings { same, different }.warning();
        assert_eq!(warning(0.9, 0.1), None);
        assert!(warning(0.99, 0.95).unwrap().contains("hardly differ"));
        assert!(warning(0.1, 0.08).unwrap().contains("do not agree"));
    }
}
