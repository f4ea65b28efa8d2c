//! `manifest.toml`: the files of a model, and the settings that the graphs do not contain.

mod check;
mod classifier;
mod generator;
mod image_network;
mod provenance;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::catalog::{BoundariesEntry, CatalogError, parse_toml};
use check::{WrongValue, check};

pub use classifier::{Activation, Bins, ClassifierEntry, OutputEntry, OutputKind};
pub use generator::{AlignmentEntry, GeneratorEntry, GradientEntry, TruncationEntry};
pub use image_network::{
    ChannelValues, Channels, Coordinates, EncoderEntry, IdentityEntry, InputEntry, InputSize, LandmarkPoint,
    LandmarkUnit, LandmarksEntry, Layout,
};
pub use provenance::{DigitalSourceType, ProvenanceEntry};

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
    pub landmarks: Option<LandmarksEntry>,
    /// The identity graph, from an image to an embedding of the person.
    pub identity: Option<IdentityEntry>,
    /// Position of the face in the model's images.
    #[serde(default)]
    pub alignment: AlignmentEntry,
    /// The gradient graph, from a code and an image to the loss and its gradient.
    pub gradient: Option<GradientEntry>,
    /// What kind of media its images are.
    #[serde(default)]
    pub provenance: ProvenanceEntry,
    /// The folder of boundaries.
    pub boundaries: Option<BoundariesEntry>,
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
        match manifest.check() {
            Ok(()) => Ok(manifest),
            Err(WrongValue { key, found, expected }) => Err(CatalogError::Entry {
                file: file.to_owned(),
                key,
                found,
                expected,
            }),
        }
    }

    /// Parses the bytes of a manifest, as [`parse`](Self::parse) does its text.
    pub(crate) fn of_bytes(bytes: &[u8], file: &str) -> Result<Self, CatalogError> {
        let text = std::str::from_utf8(bytes).map_err(|error| CatalogError::Manifest {
            file: file.to_owned(),
            reason: format!("found bytes that are not UTF-8: {error}"),
        })?;
        Self::parse(text, file)
    }

    /// The attributes that the classifiers score, each once, in the order of their first outputs. The score of an attribute with
    /// several outputs is their mean.
    #[must_use]
    pub fn scored(&self) -> Vec<&OutputEntry> {
        let mut known = BTreeSet::new();
        let outputs = self.classifiers.iter().flat_map(|entry| &entry.outputs);
        outputs.filter(|output| known.insert(&output.attribute)).collect()
    }

    fn check(&self) -> Result<(), WrongValue> {
        self.check_name()?;
        if let Some(truncation) = &self.truncation {
            truncation.check(&self.generator)?;
        }
        if let Some(encoder) = &self.encoder {
            encoder.input.check("encoder")?;
            check(
                encoder.adds_w_avg || self.truncation.is_some(),
                "encoder.adds_w_avg",
                || "false".to_owned(),
                "true without [truncation], which names w_avg",
            )?;
        }
        if let Some(gradient) = &self.gradient {
            gradient.check()?;
        }
        self.alignment.check()?;
        classifier::check_classifiers(&self.classifiers)?;
        if let Some(landmarks) = &self.landmarks {
            landmarks.check()?;
        }
        self.identity
            .as_ref()
            .map_or(Ok(()), |identity| identity.input.check("identity"))
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
    fn the_input_of_a_network_is_described_by_keys_of_its_table() {
        let text = format!(
            "{MINIMAL}[[classifiers]]\nfile = \"c.onnx\"\nsize = 224\nchannels = \"bgr\"\nmean = [104, 117, 123.5]\n\
             std = 1\nimage_range = [0, 255]\nlayout = \"NHWC\"\ncrop = [0.1, 0.2, 0.9, 1.0]\noutputs = [\
             {{attribute = \"age\", kind = \"value\", threshold = 35, output = \"age\", activation = \"softmax\", \
             bins = {{first = 0, step = 1}}}}, \
             {{attribute = \"smile\", kind = \"probability\", threshold = 0.5, columns = [2, 4], column = 4, \
             activation = \"softmax\"}}]"
        );
        let manifest = Manifest::parse(&text, "manifest.toml").unwrap();
        let [ClassifierEntry { input, outputs, .. }] = &manifest.classifiers[..] else {
            panic!("one table")
        };
        assert_eq!(input.size.unwrap().height_width(), [224, 224]);
        assert_eq!(
            (input.channels, input.layout),
            (Channels::Bgr, Some(Layout::Nhwc))
        );
        assert_eq!(input.mean, Some(ChannelValues::Each([104.0, 117.0, 123.5])));
        assert_eq!(input.std, Some(ChannelValues::All(1.0)));
        assert_eq!(
            input.range().map(f32::to_bits),
            [0.0_f32, 255.0].map(f32::to_bits)
        );
        assert_eq!(outputs[0].bins.as_ref().unwrap().value(7), Some(7.0));
        assert_eq!(outputs[1].columns, Some(vec![2, 4]));
    }

    #[test]
    fn two_tables_may_score_one_attribute_if_kind_and_threshold_agree() {
        let table = |threshold: f64| {
            format!(
                "[[classifiers]]\nfile = \"c.onnx\"\noutputs = [\
                 {{attribute = \"smile\", kind = \"logit\", threshold = {threshold:?}}}]\n"
            )
        };
        let parse = |second: f64| {
            let text = format!("{MINIMAL}{}{}", table(0.0), table(second));
            Manifest::parse(&text, "manifest.toml")
        };
        assert_eq!(parse(0.0).unwrap().classifiers.len(), 2);
        let error = parse(0.5).unwrap_err().to_string();
        assert!(error.contains("the same kind and threshold"), "{error}");
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
            (
                &format!("{MINIMAL}[identity]\nfile = \"i.onnx\"\nsise = 112"),
                "unknown field `sise`",
            ),
            (
                &format!(
                    "{MINIMAL}[identity]\nfile = \"i.onnx\"\nmean = [0.5, 0.5, 0.5]\nchannels = \"gray\""
                ),
                "found three numbers in mean or std for identity.mean",
            ),
            (
                &format!("{MINIMAL}[encoder]\nfile = \"e.onnx\"\nspace = \"z\"\ncrop = [0.5, 0.0, 0.5, 1.0]"),
                "for encoder.crop",
            ),
            (
                &format!("{MINIMAL}[landmarks]\nfile = \"l.onnx\"\npoints = [1, 2]"),
                "found 2 points for landmarks.points",
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

    #[test]
    fn the_entries_for_public_networks_in_the_documentation_can_be_read() {
        let readme = include_str!("../../../onnx/README.md");
        let (_, section) = readme.split_once("### Public networks").unwrap();
        let (_, block) = section.split_once("```toml").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let manifest = Manifest::parse(&format!("{MINIMAL}{block}"), "onnx/README.md").unwrap();
        assert_eq!(manifest.classifiers.len(), 4);
        assert_eq!(manifest.scored().len(), 4, "two networks score the years");
        assert!(manifest.identity.is_some() && manifest.landmarks.is_some());
    }
}
