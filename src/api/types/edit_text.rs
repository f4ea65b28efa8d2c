//! Edits and trajectories as a URL has them: `smile:2`, `age:to:-1.5`, `-3:3:7`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::api::types::edit_body::{EditItem, TrajectoryBody};

/// An edit: `ATTRIBUTE:AMOUNT`, `ATTRIBUTE:by:AMOUNT`, `ATTRIBUTE:to:DISTANCE`, `ATTRIBUTE:to_score:SCORE` or `ATTRIBUTE`.
#[derive(Debug)]
pub(crate) struct EditText(pub(crate) EditItem);

impl<'de> Deserialize<'de> for EditText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let item = edit(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "found {text:?}, expected ATTRIBUTE:AMOUNT such as smile:2, ATTRIBUTE:to:DISTANCE such as smile:to:2, \
                 ATTRIBUTE:to_score:SCORE such as smile:to_score:0.9, or ATTRIBUTE alone beside a trajectory"
            ))
        });
        item.map(Self)
    }
}

fn edit(text: &str) -> Option<EditItem> {
    let parts: Vec<&str> = text.split(':').collect();
    let (attribute, by, to, to_score) = match parts[..] {
        [attribute] => (attribute, None, None, None),
        [attribute, amount] | [attribute, "by", amount] => {
            (attribute, Some(amount.parse().ok()?), None, None)
        }
        [attribute, "to", distance] => (attribute, None, Some(distance.parse().ok()?), None),
        [attribute, "to_score", score] => (attribute, None, None, Some(score.parse().ok()?)),
        _ => return None,
    };
    let item = EditItem {
        attribute: attribute.to_owned(),
        by,
        to,
        to_score,
    };
    (!attribute.is_empty()).then_some(item)
}

/// A trajectory: `START:END:STEPS`.
#[derive(Debug)]
pub(crate) struct TrajectoryText(pub(crate) TrajectoryBody);

impl<'de> Deserialize<'de> for TrajectoryText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let trajectory = trajectory(&text).ok_or_else(|| {
            D::Error::custom(format!("found {text:?}, expected START:END:STEPS such as -3:3:7"))
        });
        trajectory.map(Self)
    }
}

fn trajectory(text: &str) -> Option<TrajectoryBody> {
    let parts: Vec<&str> = text.split(':').collect();
    let [start, end, steps] = parts[..] else {
        return None;
    };
    Some(TrajectoryBody {
        start: start.parse().ok()?,
        end: end.parse().ok()?,
        steps: steps.parse().ok()?,
        ..TrajectoryBody::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_read_as_they_are_documented() {
        let read = |text| edit(text).map(|item| (item.attribute, item.by, item.to));
        let smile = || "smile".to_owned();
        assert_eq!(read("smile:2"), Some((smile(), Some(2.0), None)));
        assert_eq!(read("smile:by:-0.5"), Some((smile(), Some(-0.5), None)));
        assert_eq!(read("smile:to:1e1"), Some((smile(), None, Some(10.0))));
        assert_eq!(
            edit("smile:to_score:0.9").and_then(|item| item.to_score),
            Some(0.9)
        );
        assert_eq!(read("smile"), Some((smile(), None, None)));
        for text in ["", ":2", "smile:", "smile:much", "smile:at:2", "smile:to:2:3"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn trajectories_are_read_as_they_are_documented() {
        let read = |text| trajectory(text).map(|read| (read.start, read.end, read.steps));
        assert_eq!(read("-3:3:7"), Some((-3.0, 3.0, 7)));
        for text in ["", "-3:3", "-3:3:7:1", "-3:3:-7", "a:3:7"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
