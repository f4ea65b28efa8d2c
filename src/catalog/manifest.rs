//! `manifest.toml`: which graphs a model has, and what cannot be told from them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::catalog::{CatalogError, parse_toml};
use crate::latent::LatentSpace;

/// A model's manifest, as written. `onnx/README.md` describes every key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model, as requests give it.
    pub name: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// SPDX expression.
    pub license: Option<String>,
    /// The generator's graphs.
    pub generator: Generator,
    /// Where truncation pulls to, and how far by default.
    pub truncation: Option<Truncation>,
    /// Attribute classifiers.
    #[serde(default)]
    pub classifiers: Vec<ClassifierEntry>,
    /// From a picture to its code, in one run.
    pub encoder: Option<EncoderEntry>,
    /// From a photograph to where its face is.
    pub landmarks: Option<ImageEntry>,
    /// From a picture to a vector that tells persons apart.
    pub identity: Option<ImageEntry>,
    /// Where the model's pictures have the face.
    #[serde(default)]
    pub alignment: AlignmentEntry,
    /// From a code and a picture to how wrong the code is, and which way is better.
    pub gradient: Option<GradientEntry>,
    /// Where the boundaries are.
    pub boundaries: Option<Boundaries>,
}

/// `[encoder]`: image → code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderEntry {
    /// File of the graph.
    pub file: String,
    /// The space of its codes: z, w or w+.
    #[serde(deserialize_with = "space")]
    pub space: LatentSpace,
    /// The image values of black and white that it wants.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
    /// Whether its codes already contain `w_avg`; otherwise it is added to them.
    #[serde(default = "yes")]
    pub adds_w_avg: bool,
    /// File of the covariance of its errors, by which a descent from its answer goes.
    pub errors: Option<String>,
}

/// `[landmarks]`: photograph → landmarks of the face in it; `[identity]`: image → what tells persons apart.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// File of the graph.
    pub file: String,
    /// The image values of black and white that it wants.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
}

/// `[alignment]`: where the model's pictures have the face, beside FFHQ's.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlignmentEntry {
    /// The side of a picture, in sides of FFHQ's square.
    #[serde(default = "one")]
    pub side: f64,
    /// How far the picture's middle lies below FFHQ's, in the picture's sides.
    #[serde(default)]
    pub down: f64,
}

impl Default for AlignmentEntry {
    fn default() -> Self {
        Self { side: 1.0, down: 0.0 }
    }
}

/// `[gradient]`: the loss of a code against a picture, and its gradient.
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

/// `[generator]`: the graphs from a code to an image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// File of the mapping graph, z → w; none for a generator that takes z itself (PGGAN).
    pub mapping: Option<String>,
    /// File of the synthesis graph, code → image.
    pub synthesis: String,
    /// Whether sampled z codes are scaled to ‖z‖ = √dim.
    #[serde(default = "yes")]
    pub rescale_z: bool,
    /// The image tensor's values of black and white.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
}

/// `[truncation]`: `w_avg + psi (w − w_avg)`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncation {
    /// File of the mean w code.
    pub w_avg: String,
    /// Psi where a request names none.
    #[serde(default = "one")]
    pub psi: f64,
    /// Truncated layers where a request names none; all of them when absent.
    pub layers: Option<usize>,
}

/// `[[classifiers]]`: a graph from images to scores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierEntry {
    /// File of the graph.
    pub file: String,
    /// The image values of black and white that it wants.
    #[serde(default = "signed")]
    pub image_range: [f32; 2],
    /// Its output columns, in order.
    pub outputs: Vec<OutputEntry>,
}

/// One output column of a classifier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputEntry {
    /// The attribute it scores.
    pub attribute: String,
    /// What the number is.
    pub kind: ScoreKind,
    /// The score at which the attribute changes sides.
    pub threshold: f64,
    /// What a high score means, in words.
    pub positive: Option<String>,
    /// What a low score means, in words.
    pub negative: Option<String>,
}

/// What a score is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScoreKind {
    /// A log-odds.
    Logit,
    /// A probability 0 ‥ 1.
    Probability,
    /// A quantity of its own, such as an angle or years.
    Value,
}

/// `[boundaries]`: the folder of boundary files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundaries {
    /// The folder, below the model's.
    pub folder: String,
}

impl Manifest {
    /// Parses a manifest; `file` names it in errors.
    ///
    /// # Errors
    /// [`CatalogError::Manifest`] for TOML errors and unknown or missing keys, [`CatalogError::Entry`] for values
    /// that cannot be right.
    pub fn parse(text: &str, file: &str) -> Result<Self, CatalogError> {
        let manifest: Self = parse_toml(text).map_err(|reason| CatalogError::Manifest {
            file: file.to_owned(),
            reason,
        })?;
        let wrong = |key: &str, found: String, expected: &str| {
            Err(CatalogError::Entry {
                file: file.to_owned(),
                key: key.to_owned(),
                found,
                expected: expected.to_owned(),
            })
        };
        if !is_name(&manifest.name) {
            let expected = "1 to 64 letters, digits, '.', '_' or '-', the first a letter or a digit";
            return wrong("name", format!("{:?}", manifest.name), expected);
        }
        if let Some(truncation) = &manifest.truncation
            && manifest.generator.mapping.is_none()
        {
            return wrong(
                "truncation.w_avg",
                format!("{:?}", truncation.w_avg),
                "no [truncation] without generator.mapping: truncation happens in w",
            );
        }
        if let Some(encoder) = &manifest.encoder
            && !encoder.adds_w_avg
            && manifest.truncation.is_none()
        {
            return wrong(
                "encoder.adds_w_avg",
                "false".to_owned(),
                "true without [truncation], which names w_avg",
            );
        }
        if let Some(gradient) = &manifest.gradient {
            let GradientEntry { rate, pull, .. } = *gradient;
            if !(rate.is_finite() && rate > 0.0 && pull.is_finite() && pull >= 0.0) {
                return wrong(
                    "gradient",
                    format!("rate {rate}, pull {pull}"),
                    "a rate above 0 and a pull of at least 0",
                );
            }
        }
        let AlignmentEntry { side, down } = manifest.alignment;
        if !((0.1..=10.0).contains(&side) && (-1.0..=1.0).contains(&down)) {
            return wrong(
                "alignment",
                format!("side {side}, down {down}"),
                "a side from 0.1 to 10 and down from -1 to 1",
            );
        }
        let outputs: Vec<_> = manifest
            .classifiers
            .iter()
            .flat_map(|entry| &entry.outputs)
            .collect();
        for (place, output) in outputs.iter().enumerate() {
            if output.attribute.is_empty() {
                return wrong("classifiers.outputs.attribute", "\"\"".to_owned(), "a name");
            }
            if !output.threshold.is_finite() {
                return wrong(
                    "classifiers.outputs.threshold",
                    output.threshold.to_string(),
                    "a finite number",
                );
            }
            if outputs[..place]
                .iter()
                .any(|other| other.attribute == output.attribute)
            {
                let expected = "each attribute scored by one output";
                return wrong(
                    "classifiers.outputs.attribute",
                    format!("{:?} twice", output.attribute),
                    expected,
                );
            }
        }
        Ok(manifest)
    }
}

/// Whether `name` can stand in a URL and in a file name as it is.
fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-'))
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

    const LEAST: &str = "name = \"tiny\"\n[generator]\nsynthesis = \"g.onnx\"\n";

    #[test]
    fn the_least_manifest_names_a_model_and_its_synthesis_graph() {
        let manifest = Manifest::parse(LEAST, "manifest.toml").unwrap();
        assert!(manifest.generator.rescale_z && manifest.generator.mapping.is_none());
        assert_eq!(
            manifest.generator.image_range.map(f32::to_bits),
            [-1.0_f32, 1.0].map(f32::to_bits)
        );
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong() {
        let cases = [
            ("name = \"tiny\"", "missing field `generator`"),
            (
                &LEAST.replace("synthesis", "sinthesis"),
                "unknown field `sinthesis`",
            ),
            (&LEAST.replace("tiny", "a/b"), "name is \"a/b\""),
            (
                &format!("{LEAST}[truncation]\nw_avg = \"w_avg.npy\""),
                "no [truncation] without generator.mapping",
            ),
            (
                &format!(
                    "{LEAST}[[classifiers]]\nfile = \"c.onnx\"\noutputs = [\
                     {{attribute = \"smile\", kind = \"logit\", threshold = 0.0}}, \
                     {{attribute = \"smile\", kind = \"logit\", threshold = 0.0}}]"
                ),
                "\"smile\" twice",
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
