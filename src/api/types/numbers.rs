//! Arrays of numbers, read from nested JSON lists into one vector.

use std::fmt;

use ndarray::Array2;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeSeq as _, Serializer};

use crate::api::decode::position::Position;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::openapi::numbers::numbers_or_rows;

/// The most numbers of an array: a w+ code of 32 layers and 8,192 dimensions. The largest published StyleGAN2 code has 18 × 512.
pub(crate) const MOST_NUMBERS: usize = 32 * 8192;

/// The deepest nesting: w+ codes come as (layers, dim) or (1, layers, dim).
const DEEPEST: usize = 3;

/// A number of an array: `f32` for codes, `f64` for normals.
pub(crate) trait Number: Copy + Serialize {
    fn of(number: f64) -> Self;
}

impl Number for f32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "codes are single precision; a number that overflows is refused as not finite"
    )]
    fn of(number: f64) -> Self {
        number as f32
    }
}

impl Number for f64 {
    fn of(number: f64) -> Self {
        number
    }
}

/// Numbers in a flat list, or in lists of equal length, one a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers<T> {
    pub(crate) shape: Vec<usize>,
    /// The numbers in row-major order.
    pub(crate) values: Vec<T>,
}

const EXPECTED: &str = "a list of numbers, or in w+ a list of such lists, one a layer";

impl<T: Number> Value for Numbers<T> {
    fn expected() -> String {
        EXPECTED.to_owned()
    }

    fn from_list<'de, A: SeqAccess<'de>>(list: A, at: Position<'_>) -> Result<Self, A::Error> {
        let mut read = Self {
            shape: Vec::new(),
            values: Vec::new(),
        };
        let mut rank = None;
        let (numbers, depth) = (&mut read, 0);
        Element {
            numbers,
            rank: &mut rank,
            depth,
            at,
        }
        .list(list)?;
        Ok(read)
    }

    /// Rows separated by `;`, numbers by `,`.
    fn from_text(found: &str) -> Result<Self, String> {
        let mut values = Vec::new();
        let (mut rows, mut dim) = (0, 0);
        for row in found.split(';') {
            let before = values.len();
            for text in row.split(',') {
                let number: f64 = text.parse().map_err(|_| unfit(quoted(text), "a number"))?;
                if values.len() == MOST_NUMBERS {
                    return Err(too_many());
                }
                values.push(T::of(number));
            }
            let length = values.len() - before;
            if rows > 0 && length != dim {
                return Err(UNEVEN.to_owned());
            }
            (rows, dim) = (rows + 1, length);
        }
        let shape = if rows == 1 { vec![dim] } else { vec![rows, dim] };
        Ok(Self { shape, values })
    }

    fn schema() -> Schema {
        numbers_or_rows().into()
    }
}

/// The length of a list that has not ended.
const UNKNOWN: usize = usize::MAX;

const UNEVEN: &str = "found rows of several lengths, expected one";
const MIXED: &str = "found rows and numbers side by side, expected one or the other";

fn too_many() -> String {
    format!("found more than {MOST_NUMBERS} numbers, expected at most {MOST_NUMBERS}")
}

/// An element of a list, `depth` lists deep.
struct Element<'a, T> {
    numbers: &'a mut Numbers<T>,
    /// The number of lists around each number, once a number was read.
    rank: &'a mut Option<usize>,
    depth: usize,
    at: Position<'a>,
}

impl<T: Number> Element<'_, T> {
    /// Reads a list at this depth, and checks that it is as long as its siblings.
    fn list<'de, A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self {
            numbers,
            rank,
            depth,
            at,
        } = self;
        let mut length = 0;
        loop {
            let element = Element {
                numbers: &mut *numbers,
                rank: &mut *rank,
                depth: depth + 1,
                at: at.index(length),
            };
            if list.next_element_seed(element)?.is_none() {
                break;
            }
            length += 1;
            if length > MOST_NUMBERS {
                return Err(at.refuse(too_many()));
            }
        }
        if numbers.shape.len() <= depth {
            numbers.shape.resize(depth + 1, UNKNOWN);
        }
        match &mut numbers.shape[depth] {
            // An inner list ends before the list around it, and makes room for both lengths.
            unknown @ &mut UNKNOWN => *unknown = length,
            known if *known != length => return Err(at.refuse(UNEVEN.to_owned())),
            _ => {}
        }
        Ok(())
    }

    fn number<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        // Lists inside the list that holds this number would have given the shape a further dimension.
        if *self.rank.get_or_insert(self.depth) != self.depth || self.numbers.shape.len() > self.depth {
            return Err(self.at.refuse(MIXED.to_owned()));
        }
        if self.numbers.values.len() == MOST_NUMBERS {
            return Err(self.at.refuse(too_many()));
        }
        self.numbers.values.push(T::of(number));
        Ok(())
    }

    fn unfit<E: serde::de::Error>(self, found: &str) -> Result<(), E> {
        Err(self.at.refuse(unfit(found, "a number")))
    }
}

impl<'de, T: Number> DeserializeSeed<'de> for Element<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Number> Visitor<'de> for Element<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_f64<E: serde::de::Error>(self, found: f64) -> Result<(), E> {
        self.number(found)
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers are real")]
    fn visit_i64<E: serde::de::Error>(self, found: i64) -> Result<(), E> {
        self.number(found as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "the numbers are real")]
    fn visit_u64<E: serde::de::Error>(self, found: u64) -> Result<(), E> {
        self.number(found as f64)
    }

    fn visit_bool<E: serde::de::Error>(self, found: bool) -> Result<(), E> {
        self.unfit(if found { "true" } else { "false" })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.unfit("null")
    }

    fn visit_str<E: serde::de::Error>(self, found: &str) -> Result<(), E> {
        self.unfit(&quoted(found))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        self.unfit("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        if *self.rank == Some(self.depth) {
            return Err(self.at.refuse(MIXED.to_owned()));
        }
        if self.depth == DEEPEST {
            return self.unfit("a list");
        }
        self.list(list)
    }
}

impl<T: Number> Serialize for Numbers<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { shape, values } = self;
        Part { shape, values }.serialize(serializer)
    }
}

/// The numbers of one index of the leading dimensions.
struct Part<'a, T> {
    shape: &'a [usize],
    values: &'a [T],
}

impl<T: Number> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (rows, shape) = match self.shape {
            [rows, shape @ ..] if !shape.is_empty() && !self.values.is_empty() => (*rows, shape),
            _ => return self.values.serialize(serializer),
        };
        let mut list = serializer.serialize_seq(Some(rows))?;
        for values in self.values.chunks(self.values.len() / rows) {
            list.serialize_element(&Part { shape, values })?;
        }
        list.end()
    }
}

/// The rows of a matrix, for responses.
pub(crate) fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.outer_iter().map(|row| row.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::decode::declare::fields;
    use crate::api::decode::json::read;

    fields! {
        /// An array.
        struct Holder {
            /// The numbers.
            values: Option<Numbers<f32>>,
        }
    }

    fn read_values(text: &str) -> Result<Numbers<f32>, String> {
        let read = read::<Holder>(format!("{{\"values\": {text}}}").as_bytes());
        read.map(|holder| holder.values.expect("it was given"))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn lists_of_any_depth_up_to_three_keep_their_shape_and_order() {
        for (text, shape) in [
            ("[]", &[0][..]),
            ("[1,2,3,4]", &[4]),
            ("[[1,2],[3,4]]", &[2, 2]),
            ("[[[1,2],[3,4]]]", &[1, 2, 2]),
            ("[[],[]]", &[2, 0]),
        ] {
            let numbers = read_values(text).unwrap();
            assert_eq!(numbers.shape, shape, "{text}");
            let expected: Vec<f32> = [1.0, 2.0, 3.0, 4.0][..numbers.values.len()].to_vec();
            assert_eq!(numbers.values, expected, "{text}");
        }
    }

    #[test]
    fn uneven_mixed_and_deeper_lists_are_refused_with_their_path() {
        for (text, says) in [
            ("[[1],[2,3]]", "several lengths"),
            ("[[],[1]]", "several lengths"),
            ("[1,[2]]", "values[1]: found rows and numbers side by side"),
            ("[[1],2]", "side by side"),
            ("[[],1]", "side by side"),
            ("[[1],[[2]]]", "values[1][0]: found rows and numbers side by side"),
            ("[[[[1]]]]", "values[0][0][0]: found a list, expected a number"),
            ("[1,\"2\"]", "values[1]: found \"2\", expected a number"),
            ("[1,null]", "values[1]: found null"),
            ("[{}]", "values[0]: found an object"),
            ("7", "values: found 7, expected a list of numbers"),
        ] {
            let reason = read_values(text).unwrap_err();
            assert!(reason.contains(says), "{text}: {reason}");
        }
        let long = format!("[{}0]", "0,".repeat(MOST_NUMBERS));
        let reason = read_values(&long).unwrap_err();
        assert!(reason.contains("found more than 262144 numbers"), "{reason}");
    }

    #[test]
    fn texts_are_read_like_lists() {
        let text = |text| Numbers::<f32>::from_text(text);
        assert_eq!(text("1,2,3,4").unwrap(), read_values("[1,2,3,4]").unwrap());
        assert_eq!(text("1,2;3,4").unwrap(), read_values("[[1,2],[3,4]]").unwrap());
        for found in ["", "1,", "1;2,3", "a"] {
            assert!(text(found).is_err(), "{found:?}");
        }
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for text in ["[]", "[1.5,2.0]", "[[1.0,2.0],[3.0,4.0]]", "[[[1.0],[2.0]]]"] {
            let numbers = read_values(text).unwrap();
            assert_eq!(serde_json::to_string(&numbers).unwrap(), text);
        }
    }
}
