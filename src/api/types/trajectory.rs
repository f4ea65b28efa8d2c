//! A series of edits, as an object in JSON or as text such as `-3:3:7`.

use serde::de::MapAccess;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::api::decode::declare::fields;
use crate::api::decode::describe::reference;
use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::decode::{describe, json};
use crate::api::problem::Problem;
use crate::api::types::attribute_edit::Distance;
use crate::api::types::choice::choice;
use crate::api::types::easing::Easing;
use crate::api::types::number::{Integer, MOST_U32, NUMBER, part};
use crate::editor::{EditorError, PositionKind, Series};
use crate::latent::Trajectory;

choice! {
    /// What the positions of a trajectory are.
    pub(crate) enum TrajectoryMove {
        /// Amounts to move by, in the request's `unit`; 0 is the face as it was; the default.
        By = "by",
        /// Signed distances to move to, in the request's `unit`; 0 is on the boundary.
        To = "to",
    }
}

fields! {
    /// Positions from one end to the other, both included. They are evenly spaced, unless the request has an `easing`.
    pub(crate) struct TrajectoryInput {
        /// The first position. Default: −3.
        start: Option<Distance>,
        /// The last position. Default: 3.
        end: Option<Distance>,
        /// How many faces. Default: 10.
        steps: Option<Integer<1, MOST_U32>>,
        /// Whether the positions are amounts to move by, or signed distances to move to. Default: `by`.
        moves ["move", "move"]: Option<TrajectoryMove>,
    }
}

impl Value for TrajectoryInput {
    fn expected() -> String {
        "an object with start, end, steps and move, all of them optional".to_owned()
    }

    fn expected_text() -> String {
        "START:END:STEPS such as -3:3:7, or START:END:STEPS:to for signed distances; positions from -1000 to 1000, and at least 1 step"
            .to_owned()
    }

    fn from_object<'de, A: MapAccess<'de>>(object: A, at: Position<'_>) -> Result<Self, A::Error> {
        json::object(object, at)
    }

    fn from_text(found: &str) -> Result<Self, String> {
        read(found).ok_or_else(|| unfit(quoted(found), &Self::expected_text()))
    }

    fn schema() -> Schema {
        reference::<Self>()
    }

    fn text_schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{NUMBER}:{NUMBER}:[1-9][0-9]{{0,8}}(:(by|to))?$")))
            .into()
    }

    fn components(components: &mut Vec<(String, Schema)>) {
        describe::add_component::<Self>(components);
    }
}

fn read(text: &str) -> Option<TrajectoryInput> {
    let parts: Vec<&str> = text.split(':').collect();
    let (start, end, steps, moves) = match parts[..] {
        [start, end, steps] => (start, end, steps, None),
        [start, end, steps, moves] => (start, end, steps, Some(part(moves)?)),
        _ => return None,
    };
    Some(TrajectoryInput {
        start: Some(part(start)?),
        end: Some(part(end)?),
        steps: Some(part(steps)?),
        moves,
    })
}

impl TrajectoryInput {
    /// The editor's series.
    pub(crate) fn series(
        &self,
        easing: Option<Easing>,
        check: impl Fn(&str, usize) -> Result<(), Problem>,
    ) -> Result<Series, Problem> {
        let usual = Trajectory::default();
        let steps = self.steps.map_or(usual.steps(), Integer::u32);
        check("trajectory.steps", steps as usize)?;
        let start = self.start.map_or(usual.start(), |start| start.0);
        let end = self.end.map_or(usual.end(), |end| end.0);
        let kind = match self.moves {
            None | Some(TrajectoryMove::By) => PositionKind::By,
            Some(TrajectoryMove::To) => PositionKind::To,
        };
        let trajectory = Trajectory::new(start, end, steps).map_err(EditorError::from)?;
        let trajectory = trajectory.with_easing(easing.map(Into::into).unwrap_or_default());
        Ok(Series { trajectory, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::number::Real;

    #[test]
    fn texts_are_read_as_documented() {
        let read = |text| read(text).map(|read| (read.start, read.end, read.steps, read.moves));
        let steps = Some(Integer::from(7));
        let ends = (Some(Real(-3.0)), Some(Real(3.0)));
        assert_eq!(read("-3:3:7"), Some((ends.0, ends.1, steps, None)));
        let to = Some(TrajectoryMove::To);
        assert_eq!(read("-3:3:7:to"), Some((ends.0, ends.1, steps, to)));
        for text in [
            "", "-3:3", "-3:3:7:1", "-3:3:-7", "a:3:7", "-3:3:0", "NaN:3:5", "-1e9:3:5",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
