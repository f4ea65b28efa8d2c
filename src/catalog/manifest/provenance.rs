//! The table that says what kind of media a model's images are.

use serde::Deserialize;

/// `[provenance]`: the mark of synthetic media in every image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProvenanceEntry {
    /// What the images are.
    pub digital_source_type: DigitalSourceType,
    /// Whether a request for images without metadata leaves out the mark too.
    pub optional: bool,
}

/// How media came to be: a term of IPTC's vocabulary `digitalsourcetype`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DigitalSourceType {
    /// By formulas.
    AlgorithmicMedia,
    /// By a trained network.
    #[default]
    TrainedAlgorithmicMedia,
    /// By a trained network, with other media as a part.
    CompositeWithTrainedAlgorithmicMedia,
}

impl DigitalSourceType {
    /// The term.
    #[must_use]
    pub fn term(self) -> &'static str {
        match self {
            Self::AlgorithmicMedia => "algorithmicMedia",
            Self::TrainedAlgorithmicMedia => "trainedAlgorithmicMedia",
            Self::CompositeWithTrainedAlgorithmicMedia => "compositeWithTrainedAlgorithmicMedia",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_the_terms_of_the_vocabulary() {
        for known in [
            DigitalSourceType::AlgorithmicMedia,
            DigitalSourceType::TrainedAlgorithmicMedia,
            DigitalSourceType::CompositeWithTrainedAlgorithmicMedia,
        ] {
            let text = format!("digital_source_type = \"{}\"", known.term());
            let entry: ProvenanceEntry = toml::from_str(&text).unwrap();
            assert_eq!((entry.digital_source_type, entry.optional), (known, false));
        }
        assert!(toml::from_str::<ProvenanceEntry>("digital_source_type = \"photo\"").is_err());
    }
}
