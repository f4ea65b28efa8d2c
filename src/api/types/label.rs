//! The label of a face in requests and responses.

use serde::de::SeqAccess;
use serde::{Serialize, Serializer};
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, anything_but, quoted, unfit};
use crate::api::types::number::NUMBER;
use crate::api::types::numbers::Numbers;
use crate::latent::{Label, LatentCode};

/// What a class-conditional generator takes beside z: the index of a class, or a number for each class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassLabel(pub(crate) Label);

impl ClassLabel {
    /// The label of a code, if it has one.
    pub(crate) fn of(code: &LatentCode) -> Option<Self> {
        code.label().cloned().map(Self)
    }
}

impl Value for ClassLabel {
    const NULL_IS_ABSENT: bool = true;

    fn expected() -> String {
        "the index of a class, counted from 0, or a list of numbers, one a class".to_owned()
    }

    fn expected_text() -> String {
        "the index of a class such as 3, or numbers such as 0,0.5,0.5, one a class".to_owned()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number was checked to be a small index"
    )]
    fn from_number(found: f64) -> Result<Self, String> {
        if found.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&found) {
            return Ok(Self(Label::Class(found as usize)));
        }
        Err(unfit(found, &Self::expected()))
    }

    fn from_list<'de, A: SeqAccess<'de>>(list: A, at: Position<'_>) -> Result<Self, A::Error> {
        let numbers = Numbers::<f32>::from_list(list, at)?;
        match numbers.shape[..] {
            [_] => Ok(Self(Label::Vector(numbers.values.into()))),
            _ => Err(at.refuse(unfit("a list of lists", &Self::expected()))),
        }
    }

    fn from_text(found: &str) -> Result<Self, String> {
        if let Ok(class) = found.parse::<u32>() {
            return Ok(Self(Label::Class(class as usize)));
        }
        match Numbers::<f32>::from_text(found) {
            Ok(numbers) if numbers.shape.len() == 1 && numbers.values.len() > 1 => {
                Ok(Self(Label::Vector(numbers.values.into())))
            }
            _ => Err(unfit(quoted(found), &Self::expected_text())),
        }
    }

    // Generators make wrong code of a choice between a number and a list.
    fn schema() -> Schema {
        anything_but(json!({ "type": ["string", "object", "boolean"] }))
    }

    fn text_schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^([0-9]{{1,9}}|{NUMBER}(,{NUMBER})+)$")))
            .into()
    }
}

impl Serialize for ClassLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Label::Class(class) => class.serialize(serializer),
            Label::Vector(numbers) => numbers.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_a_class_or_a_vector() {
        let read = |text| ClassLabel::from_text(text).map(|label| label.0);
        assert_eq!(read("3"), Ok(Label::Class(3)));
        assert_eq!(read("0,0.5,0.5"), Ok(Label::Vector([0.0, 0.5, 0.5].into())));
        for text in ["", "-1", "0.5", "cat", "0,1;1,0", "1,"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_that_is_no_index_is_refused() {
        assert_eq!(
            ClassLabel::from_number(2.0).map(|label| label.0),
            Ok(Label::Class(2))
        );
        for number in [-1.0, 0.5, 1e12, f64::NAN] {
            assert!(ClassLabel::from_number(number).is_err(), "{number}");
        }
    }
}
