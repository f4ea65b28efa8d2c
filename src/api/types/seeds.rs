//! A list of seeds: numbers and ranges, such as `85,265,1000-1010`.

use std::ops::RangeInclusive;

use serde::de::SeqAccess;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};

use crate::api::decode::position::Position;
use crate::api::decode::reader::Reader;
use crate::api::decode::value::{Schema, Value, quoted, unfit};
use crate::api::types::number::Seed;

/// The most seeds of a list, ranges counted seed by seed.
pub(crate) const MOST_SEEDS: usize = 10_000;

/// Seeds in the order of the request. A seed may stand there more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seeds {
    /// Both ends are included; a single seed is a range of one.
    ranges: Vec<RangeInclusive<u32>>,
    count: u64,
}

impl Seeds {
    /// Each seed, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.ranges.iter().flat_map(RangeInclusive::clone)
    }

    /// Reads numbers and ranges that are separated by commas, and adds them.
    fn add(&mut self, text: &str) -> Result<(), String> {
        for part in text.split(',') {
            let range = range(part.trim()).ok_or_else(|| unfit(quoted(part), PART))?;
            if range.is_empty() {
                let (first, last) = range.into_inner();
                return Err(unfit(
                    quoted(part),
                    &format!("{last}-{first}: the lower seed first"),
                ));
            }
            self.push(range)?;
        }
        Ok(())
    }

    fn push(&mut self, range: RangeInclusive<u32>) -> Result<(), String> {
        self.count += u64::from(range.end() - range.start()) + 1;
        self.ranges.push(range);
        if self.count > MOST_SEEDS as u64 {
            return Err(format!(
                "found {} seeds or more, expected at most {MOST_SEEDS}",
                self.count
            ));
        }
        Ok(())
    }
}

const PART: &str = "a seed such as 85 or a range of seeds such as 1000-1010";

fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let seed = |text| Seed::from_text(text).ok().map(Seed::u32);
    Some(match text.split_once('-') {
        None => seed(text)?..=seed(text)?,
        Some((first, last)) => seed(first)?..=seed(last)?,
    })
}

/// One element of a JSON list: a number, or a text of numbers and ranges.
struct Part(Seeds);

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Value for Part {
    fn expected() -> String {
        PART.to_owned()
    }

    fn from_number(found: f64) -> Result<Self, String> {
        let seed = Seed::from_number(found)?.u32();
        let mut seeds = Seeds::default();
        seeds.push(seed..=seed)?;
        Ok(Self(seeds))
    }

    fn from_string(found: &str) -> Result<Self, String> {
        Seeds::from_text(found).map(Self)
    }

    fn schema() -> Schema {
        Seeds::schema()
    }
}

impl Value for Seeds {
    fn expected() -> String {
        "a list of seeds such as [85, 265, \"1000-1010\"], or a text such as \"85,265,1000-1010\"".to_owned()
    }

    fn expected_text() -> String {
        "seeds and ranges of seeds such as 85,265,1000-1010".to_owned()
    }

    fn from_string(found: &str) -> Result<Self, String> {
        let mut seeds = Self::default();
        seeds.add(found)?;
        Ok(seeds)
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut list: A, at: Position<'_>) -> Result<Self, A::Error> {
        let mut seeds = Self::default();
        let mut index = 0;
        while let Some(Part(part)) = list.next_element_seed(Reader::new(at.index(index)))? {
            for range in part.ranges {
                seeds.push(range).map_err(|reason| at.refuse(reason))?;
            }
            index += 1;
        }
        if seeds.ranges.is_empty() {
            return Err(at.refuse(unfit("an empty list", &Self::expected())));
        }
        Ok(seeds)
    }

    fn from_text(found: &str) -> Result<Self, String> {
        Self::from_string(found)
    }

    // Generators make wrong code of a list of two types, so ranges are not in the schema.
    fn schema() -> Schema {
        ArrayBuilder::new()
            .items(Seed::schema())
            .min_items(Some(1))
            .max_items(Some(MOST_SEEDS))
            .into()
    }

    fn text_schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{}$", pattern())))
            .into()
    }
}

/// The pattern of seeds and ranges of seeds, without its ends.
pub(crate) fn pattern() -> String {
    let seed = "([0-9]{1,9}|[1-3][0-9]{9})";
    let part = format!("{seed}(-{seed})?");
    format!("{part}(,{part})*")
}

impl Serialize for Seeds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |range: &RangeInclusive<u32>| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        };
        let texts: Vec<String> = self.ranges.iter().map(text).collect();
        serializer.serialize_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::decode::declare::fields;
    use crate::api::decode::json::read;

    fields! {
        /// Seeds.
        struct Holder {
            /// The seeds.
            seeds: Option<Seeds>,
        }
    }

    fn of_json(text: &str) -> Result<Vec<u32>, String> {
        let read = read::<Holder>(format!("{{\"seeds\": {text}}}").as_bytes());
        read.map(|holder| holder.seeds.expect("it was given").iter().collect())
            .map_err(|problem| problem.to_string())
    }

    fn of_text(text: &str) -> Result<Vec<u32>, String> {
        Seeds::from_text(text).map(|seeds| seeds.iter().collect())
    }

    #[test]
    fn seeds_are_numbers_and_ranges_with_both_ends() {
        assert_eq!(of_text("85,265,3-6,85"), Ok(vec![85, 265, 3, 4, 5, 6, 85]));
        assert_eq!(of_text("4294967294-4294967295"), Ok(vec![u32::MAX - 1, u32::MAX]));
        assert_eq!(of_json("[85, 265, \"3-5\"]"), Ok(vec![85, 265, 3, 4, 5]));
        assert_eq!(of_json("\"85,3-5\""), Ok(vec![85, 3, 4, 5]));
    }

    #[test]
    fn what_is_no_list_of_seeds_is_refused_with_a_reason() {
        for text in ["", "1,", "1-", "-1", "1-2-3", "4294967296", "1.5", "a"] {
            let reason = of_text(text).unwrap_err();
            assert!(
                reason.contains("expected a seed such as 85 or a range"),
                "{text:?}: {reason}"
            );
        }
        assert_eq!(
            of_text("9-3").unwrap_err(),
            "found \"9-3\", expected 3-9: the lower seed first"
        );
        for (text, says) in [
            ("[]", "found an empty list, expected a list of seeds"),
            ("7", "found 7, expected a list of seeds"),
            ("[1, -2]", "seeds[1]: found -2, expected a whole number"),
            ("[1, [2]]", "seeds[1]: found a list, expected a seed"),
            ("[\"1-\"]", "seeds[0]: found \"1-\", expected a seed"),
        ] {
            let reason = of_json(text).unwrap_err();
            assert!(reason.contains(says), "{text}: {reason}");
        }
    }

    #[test]
    fn more_seeds_than_the_limit_are_refused_before_they_are_counted_out() {
        assert_eq!(of_text("0-9999").map(|seeds| seeds.len()), Ok(MOST_SEEDS));
        for text in ["0-10000", "0-9999,5", "0-4294967295,0-4294967295"] {
            let reason = of_text(text).unwrap_err();
            assert!(
                reason.ends_with("seeds or more, expected at most 10000"),
                "{text}: {reason}"
            );
        }
        assert!(of_json("[\"0-9999\", 1]").is_err());
    }

    #[test]
    fn seeds_are_written_as_a_text_that_reads_back() {
        let seeds = Seeds::from_text("85,3-6").unwrap();
        let written = serde_json::to_string(&seeds).unwrap();
        assert_eq!(written, "\"85,3-6\"");
        assert_eq!(of_json(&written), Ok(seeds.iter().collect()));
    }
}
