//! One attribute's edit, as an object in JSON or as text such as `smile:to:2`.

use serde::de::MapAccess;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::declare::fields;
use crate::api::decode::describe::reference;
use crate::api::decode::fields::Required;
use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::decode::{describe, json};
use crate::api::problem::Problem;
use crate::api::types::layers::Layers;
use crate::api::types::number::{Finite, NUMBER, Real, part};
use crate::api::types::text::Name;
use crate::editor::EditStep;
use crate::latent::Amount;

/// A signed distance, or a difference of two, in the request's unit.
pub(crate) type Distance = Real<-1000, 1000>;

fields! {
    /// One attribute's edit: `by`, `to` or `to_score`, or none of them if a trajectory gives the amounts.
    pub(crate) struct AttributeEdit {
        /// The attribute.
        attribute: Required<Name>,
        /// How far to move along the direction, in the request's `unit`; towards the positive side if it is above 0.
        by: Option<Distance>,
        /// The signed distance from the attribute's boundary to move to, in the request's `unit`; 0 is on the boundary.
        to: Option<Distance>,
        /// The score to reach, measured by the attribute's classifier: a probability above 0 and below 1 if the classifier outputs
        /// logits or probabilities, a value otherwise. The service searches for the distance, and holds every condition's score.
        /// Only for a single edit without a trajectory.
        to_score: Option<Finite>,
        /// The layers of w+ that this edit moves, counted from 0: `3`, or `0-3`. Default: the request's.
        layers: Option<Layers>,
    }
}

impl Value for AttributeEdit {
    fn expected() -> String {
        "an object with attribute, by, to or to_score, and layers".to_owned()
    }

    fn expected_text() -> String {
        "ATTRIBUTE:AMOUNT such as smile:2, ATTRIBUTE:to:DISTANCE such as smile:to:2, ATTRIBUTE:to_score:SCORE such as \
         smile:to_score:0.9, or ATTRIBUTE alone with a trajectory, each with @LAYERS such as smile:2@0-3 if it moves some layers only; \
         amounts and distances from -1000 to 1000"
            .to_owned()
    }

    fn from_object<'de, A: MapAccess<'de>>(object: A, at: Position<'_>) -> Result<Self, A::Error> {
        json::object(object, at)
    }

    fn from_text(found: &str) -> Result<Self, String> {
        let (text, layers) = split_layers(found)?;
        let read = read(text).ok_or_else(|| unfit(quoted(found), &Self::expected_text()))?;
        Ok(Self { layers, ..read })
    }

    fn schema() -> Schema {
        reference::<Self>()
    }

    fn text_schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!(
                "^[^:,]{{1,256}}(:((by|to|to_score):)?{NUMBER})?(@[0-9]{{1,9}}(-[0-9]{{1,9}})?)?$"
            )))
            .into()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        describe::add_component::<Self>(components);
    }
}

/// The text before the layers, and the layers after the last `@`. An attribute's own `@` is left alone if no layers follow it.
fn split_layers(text: &str) -> Result<(&str, Option<Layers>), String> {
    let is_layers = |text: &str| {
        let mut digits = text.split('-');
        digits.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match text.rsplit_once('@') {
        Some((edit, layers)) if !edit.is_empty() && is_layers(layers) => {
            Ok((edit, Some(Layers::from_text(layers)?)))
        }
        _ => Ok((text, None)),
    }
}

fn read(text: &str) -> Option<AttributeEdit> {
    let parts: Vec<&str> = text.split(':').collect();
    let (attribute, by, to, to_score) = match parts[..] {
        [attribute] => (attribute, None, None, None),
        [attribute, amount] | [attribute, "by", amount] => (attribute, Some(part(amount)?), None, None),
        [attribute, "to", distance] => (attribute, None, Some(part(distance)?), None),
        [attribute, "to_score", score] => (attribute, None, None, Some(part(score)?)),
        _ => return None,
    };
    Some(AttributeEdit {
        attribute: Required(part(attribute)?),
        by,
        to,
        to_score,
        layers: None,
    })
}

impl AttributeEdit {
    /// The editor's step. `index` is the position in the list of edits, for the path in an error.
    pub(crate) fn step(&self, index: usize) -> Result<EditStep, Problem> {
        let amount = match (self.by, self.to, self.to_score) {
            (Some(by), None, None) => Some(Amount::By(by.0)),
            (None, Some(to), None) => Some(Amount::To(to.0)),
            (None, None, _) => None,
            _ => {
                let reason = "found several of by, to and to_score, expected one of them";
                return Err(Problem::field(format!("edits[{index}]"), reason));
            }
        };
        Ok(EditStep {
            attribute: self.attribute.0.0.clone(),
            amount,
            score: self.to_score.map(|score| score.0),
            layers: self.layers.map(|layers| layers.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_documented() {
        let read = |text| read(text).map(|edit| (edit.attribute.0.0, edit.by, edit.to, edit.to_score));
        let smile = || "smile".to_owned();
        for (text, by, to, to_score) in [
            ("smile:2", Some(2.0), None, None),
            ("smile:by:-0.5", Some(-0.5), None, None),
            ("smile:to:1e1", None, Some(10.0), None),
            ("smile:to_score:0.9", None, None, Some(0.9)),
            ("smile", None, None, None),
        ] {
            let expected = (smile(), by.map(Real), to.map(Real), to_score.map(Finite));
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for text in [
            "",
            ":2",
            "smile:",
            "smile:much",
            "smile:at:2",
            "smile:to:2:3",
            "smile:NaN",
            "smile:1e9",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn layers_follow_the_last_at_sign() {
        for (text, attribute, by, layers) in [
            ("smile:3@0-3", "smile", Some(3.0), Some("0-3")),
            ("smile@2", "smile", None, Some("2")),
            ("a@b:3@2", "a@b", Some(3.0), Some("2")),
            ("a@b:3", "a@b", Some(3.0), None),
            ("@2", "@2", None, None),
        ] {
            let read = AttributeEdit::from_text(text).unwrap();
            let found = read.layers.map(|layers| layers.0.to_string());
            assert_eq!(
                (&*read.attribute.0.0, read.by, found.as_deref()),
                (attribute, by.map(Real), layers),
                "{text}"
            );
        }
        for text in ["smile:3@5-3", "smile@1-2-3", "smile:3@", "smile:3@a"] {
            assert!(AttributeEdit::from_text(text).is_err(), "{text}");
        }
    }
}
