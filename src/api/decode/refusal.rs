//! The reason for refusing a request.

use crate::api::problem::Problem;

/// The most characters of a key that an error repeats.
const MOST_SHOWN: usize = 60;

/// Why a field's value is not accepted.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The path of the field, such as `edits[0].by`.
    pub(crate) field: String,
    /// What was found, and what was expected.
    pub(crate) reason: String,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::field(refusal.field, refusal.reason)
    }
}

/// Refuses a key that is no field.
pub(crate) fn unknown(field: String, known: impl Iterator<Item = &'static str>) -> Refusal {
    let known = known.collect::<Vec<_>>().join(", ");
    let reason = format!("unknown field, expected one of {known}");
    Refusal { field, reason }
}

/// Refuses a request without one of its fields.
pub(crate) fn missing(field: String, expected: &str) -> Refusal {
    let reason = format!("missing, expected {expected}");
    Refusal { field, reason }
}

/// The start of a key, for an error.
pub(crate) fn shortened(key: &str) -> String {
    key.chars().take(MOST_SHOWN).collect()
}
