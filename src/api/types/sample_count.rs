//! The number of samples of a training: a number, or `auto`.

use serde::{Serialize, Serializer};
use serde_json::json;

use crate::api::decode::value::{Schema, Value, anything_but, quoted, unfit};
use crate::api::types::number::{Integer, MOST_U32};
use crate::editor;

/// The word for as many samples as it takes.
const AUTO: &str = "auto";

type Number = Integer<4, MOST_U32>;

/// How many faces to sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleCount {
    /// This many.
    Number(Number),
    /// As many as it takes until the directions have settled.
    Auto,
}

impl SampleCount {
    /// The editor's number.
    pub(crate) fn count(self) -> editor::SampleCount {
        match self {
            Self::Number(number) => editor::SampleCount::Fixed(number.usize()),
            Self::Auto => editor::SampleCount::AUTO,
        }
    }
}

impl Value for SampleCount {
    const NULL_IS_ABSENT: bool = true;

    fn expected() -> String {
        format!("{}, or {AUTO:?}", Number::expected())
    }

    fn from_number(found: f64) -> Result<Self, String> {
        let number = Number::from_number(found).map(Self::Number);
        number.map_err(|_| unfit(found, &Self::expected()))
    }

    fn from_string(found: &str) -> Result<Self, String> {
        (found == AUTO)
            .then_some(Self::Auto)
            .ok_or_else(|| unfit(quoted(found), &Self::expected()))
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let number = Number::from_text(found).map(Self::Number);
        number.or_else(|_| Self::from_string(found))
    }

    // Generators make wrong code of a choice between a number and a word.
    fn schema() -> Schema {
        anything_but(json!({ "anyOf": [
            { "type": ["object", "array", "boolean"] },
            { "type": "string", "not": { "const": AUTO } },
            { "type": "number", "not": { "type": "integer", "minimum": 4, "maximum": MOST_U32 } },
        ] }))
    }
}

impl Serialize for SampleCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Auto => serializer.serialize_str(AUTO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_number_or_auto() {
        let number = |count: u64| Ok(SampleCount::Number(Number::from(count)));
        assert_eq!(SampleCount::from_number(200.0), number(200));
        assert_eq!(SampleCount::from_text("200"), number(200));
        assert_eq!(SampleCount::from_string("auto"), Ok(SampleCount::Auto));
        for number in [3.0, 4.5, -1.0, 1e12] {
            let refused = SampleCount::from_number(number).unwrap_err();
            assert!(
                refused.contains("expected a whole number from 4 to 4294967295, or \"auto\""),
                "{refused}"
            );
        }
        assert!(SampleCount::from_string("200").is_err() && SampleCount::from_text("all").is_err());
    }
}
