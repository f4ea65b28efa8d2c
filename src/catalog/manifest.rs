//! `manifest.toml`: the files of a model, and the settings that the graphs do not contain.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::catalog::{BoundariesEntry, CatalogError, parse_toml};
use crate::latent::{LatentSpace, check_attribute_name};

/// The content of a manifest. `onnx/README.md` describes every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model in requests.
    pub name: String,
    /// Description of the model, in one sentence.
    #[serde(default)]
    pub description: String,
    /// License, as an SPDX expression.
    pub license: Option<String>,
    /// The graphs of the generator.
    pub generator: GeneratorEntry,
    /// The average w code, and the default truncation.
    pub truncation: Option<TruncationEntry>,
    /// Attribute classifiers.
    #[serde(default)]
    pub classifiers: Vec<ClassifierEntry>,
    /// The encoder, from an image to its code.
    pub encoder: Option<EncoderEntry>,
    /// The landmark graph, from a photograph to the landmarks of the face.
    pub landmarks: Option<ImageEntry>,
    /// The identity graph, from an image to an embedding of the person.
    pub identity: Option<ImageEntry>,
    /// Position of the face in the model's images.
    #[serde(default)]
    pub alignment: AlignmentEntry,
    /// The gradient graph, from a code and an image to the loss and its gradient.
    pub gradient: Option<GradientEntry>,
    /// The folder of boundaries.
    pub boundaries: Option<BoundariesEntry>,
}

/// `[encoder]`: image → code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderEntry {
    /// File of the graph.
    pub file: String,
    /// Latent space of its codes: z, w or w+.
    #[serde(deserialize_with = "space")]
    pub space: LatentSpace,
    /// Values of black and white in its input.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
    /// Whether its codes include `w_avg`; otherwise the service adds it.
    #[serde(default = "yes")]
    pub adds_w_avg: bool,
    /// File of the covariance of its errors, which scales the optimization from its codes.
    pub errors: Option<String>,
}

/// `[landmarks]`: photograph → landmarks of the face. `[identity]`: image → embedding of the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// File of the graph.
    pub file: String,
    /// Values of black and white in its input.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
}

/// `[alignment]`: position of the face in the model's images, relative to FFHQ's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignmentEntry {
    /// Side of an image, in sides of FFHQ's square.
    #[serde(default = "one")]
    pub side: f64,
    /// Distance of the image's centre below the centre of FFHQ's square, in sides of the image.
    #[serde(default)]
    pub down: f64,
}

impl Default for AlignmentEntry {
    fn default() -> Self {
        Self { side: 1.0, down: 0.0 }
    }
}

/// `[gradient]`: code and image → loss and gradient.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradientEntry {
    /// File of the graph.
    pub file: String,
    /// Adam's learning rate, in units of the code.
    #[serde(default = "tenth")]
    pub rate: f64,
    /// Weight of the mean square distance to the start.
    #[serde(default = "thousandth")]
    pub pull: f64,
}

/// `[generator]`: code → image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorEntry {
    /// File of the mapping graph, z → w; absent if synthesis takes z itself (PGGAN).
    pub mapping: Option<String>,
    /// File of the synthesis graph, code → image.
    pub synthesis: String,
    /// Whether sampled z codes are scaled to ‖z‖ = √dim.
    #[serde(default = "yes")]
    pub rescale_z: bool,
    /// Values of black and white in its images.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
}

/// `[truncation]`: `w_avg + psi (w − w_avg)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruncationEntry {
    /// File of the average w code.
    pub w_avg: String,
    /// Default of psi.
    #[serde(default = "one")]
    pub psi: f64,
    /// Default of the number of truncated layers; all layers if absent.
    pub layers: Option<usize>,
}

/// `[[classifiers]]`: image → scores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierEntry {
    /// File of the graph.
    pub file: String,
    /// Values of black and white in its input.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
    /// Its output columns, in their order.
    pub outputs: Vec<OutputEntry>,
}

/// One output column of a classifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// Attribute that it scores.
    pub attribute: String,
    /// Kind of the score.
    pub kind: OutputKind,
    /// Score that separates the two values of the attribute.
    pub threshold: f64,
    /// Meaning of a score above the threshold, in words.
    pub positive: Option<String>,
    /// Meaning of a score below the threshold, in words.
    pub negative: Option<String>,
}

/// Kind of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Logarithm of the odds.
    Logit,
    /// Probability from 0 to 1.
    Probability,
    /// Quantity with a unit of its own, such as degrees or years.
    Value,
}

impl Manifest {
    /// Parses a manifest. Errors name `file`.
    ///
    /// # Errors
    /// [`CatalogError::Manifest`] for wrong TOML and for unknown or missing keys, [`CatalogError::Entry`] for values that
    /// are wrong.
    pub fn parse(text: &str, file: &str) -> Result<Self, CatalogError> {
        let manifest: Self = parse_toml(text).map_err(|reason| CatalogError::Manifest {
            file: file.to_owned(),
            reason,
        })?;
        let checks = [
            manifest.check_name(),
            manifest.check_truncation(),
            manifest.check_gradient(),
            manifest.check_alignment(),
            manifest.check_classifiers(),
        ];
        match checks.into_iter().find_map(Result::err) {
            None => Ok(manifest),
            Some(WrongValue { key, found, expected }) => Err(CatalogError::Entry {
                file: file.to_owned(),
                key: key.to_owned(),
                found,
                expected: expected.to_owned(),
            }),
        }
    }

    fn check_name(&self) -> Result<(), WrongValue> {
        let name = &self.name;
        let is_name = name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'));
        let expected = "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or a digit";
        check(is_name, "name", || format!("{name:?}"), expected)
    }

    fn check_truncation(&self) -> Result<(), WrongValue> {
        if let Some(truncation) = &self.truncation {
            check(
                self.generator.mapping.is_some(),
                "truncation.w_avg",
                || format!("{:?}", truncation.w_avg),
                "no [truncation] without generator.mapping, because truncation is done in w",
            )?;
        }
        check(
            self.encoder.as_ref().is_none_or(|encoder| encoder.adds_w_avg) || self.truncation.is_some(),
            "encoder.adds_w_avg",
            || "false".to_owned(),
            "true without [truncation], which names w_avg",
        )
    }

    fn check_gradient(&self) -> Result<(), WrongValue> {
        let Some(GradientEntry { rate, pull, .. }) = &self.gradient else {
            return Ok(());
        };
        check(
            rate.is_finite() && *rate > 0.0 && pull.is_finite() && *pull >= 0.0,
            "gradient",
            || format!("rate {rate}, pull {pull}"),
            "a rate above 0 and a pull of at least 0",
        )
    }

    fn check_alignment(&self) -> Result<(), WrongValue> {
        let AlignmentEntry { side, down } = self.alignment;
        check(
            (0.1..=10.0).contains(&side) && (-1.0..=1.0).contains(&down),
            "alignment",
            || format!("side {side}, down {down}"),
            "a side from 0.1 to 10, and down from -1 to 1",
        )
    }

    fn check_classifiers(&self) -> Result<(), WrongValue> {
        let key = "classifiers.outputs.attribute";
        let mut names = BTreeMap::new();
        for output in self.classifiers.iter().flat_map(|entry| &entry.outputs) {
            let (attribute, threshold) = (&output.attribute, output.threshold);
            check(
                check_attribute_name(attribute).is_ok(),
                key,
                || format!("{attribute:?}"),
                "a name of 1 to 64 bytes without colon, comma, control characters and blanks around it",
            )?;
            check(
                threshold.is_finite(),
                "classifiers.outputs.threshold",
                || threshold.to_string(),
                "a finite number",
            )?;
            let same = names.insert(attribute.to_lowercase(), attribute);
            check(
                same.is_none(),
                key,
                || format!("{:?} and {attribute:?}", same.unwrap_or(attribute)),
                "each attribute scored by one output, and names that differ by more than case",
            )?;
        }
        Ok(())
    }
}

/// A value of a manifest that is wrong.
struct WrongValue {
    key: &'static str,
    found: String,
    expected: &'static str,
}

/// An error that names `key`, unless the value `is_valid`.
fn check(
    is_valid: bool,
    key: &'static str,
    found: impl FnOnce() -> String,
    expected: &'static str,
) -> Result<(), WrongValue> {
    if is_valid {
        return Ok(());
    }
    Err(WrongValue {
        key,
        found: found(),
        expected,
    })
}

fn space<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LatentSpace, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("found {text:?}, expected \"z\", \"w\" or \"w+\"")))
}

fn tenth() -> f64 {
    0.1
}

fn thousandth() -> f64 {
    0.001
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn signed() -> [f32; 2] {
    [-1.0, 1.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "name = \"tiny\"\n[generator]\nsynthesis = \"g.onnx\"\n";

    #[test]
    fn a_minimal_manifest_names_a_model_and_its_synthesis_graph() {
        let manifest = Manifest::parse(MINIMAL, "manifest.toml").unwrap();
        assert!(manifest.generator.rescale_z && manifest.generator.mapping.is_none());
        assert_eq!(
            manifest.generator.image_range.map(f32::to_bits),
            [-1.0_f32, 1.0].map(f32::to_bits)
        );
    }

    #[test]
    fn errors_name_the_file_and_the_wrong_value() {
        let cases = [
            ("name = \"tiny\"", "missing field `generator`"),
            (
                &MINIMAL.replace("synthesis", "sinthesis"),
                "unknown field `sinthesis`",
            ),
            (&MINIMAL.replace("tiny", "a/b"), "found \"a/b\" for name"),
            (
                &format!("{MINIMAL}[truncation]\nw_avg = \"w_avg.npy\""),
                "no [truncation] without generator.mapping",
            ),
            (
                &format!(
                    "{MINIMAL}[[classifiers]]\nfile = \"c.onnx\"\noutputs = [\
                     {{attribute = \"smile\", kind = \"logit\", threshold = 0.0}}, \
                     {{attribute = \"smile\", kind = \"logit\", threshold = 0.0}}]"
                ),
                "found \"smile\" and \"smile\"",
            ),
            (
                &format!(
                    "{MINIMAL}[[classifiers]]\nfile = \"c.onnx\"\noutputs = [\
                     {{attribute = \"smile:big\", kind = \"logit\", threshold = 0.0}}]"
                ),
                "found \"smile:big\" for classifiers.outputs.attribute",
            ),
        ];
        for (text, expected) in cases {
            let error = Manifest::parse(text, "models/tiny/manifest.toml")
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("models/tiny/manifest.toml: ") && error.contains(expected),
                "{error}"
            );
        }
    }
}
