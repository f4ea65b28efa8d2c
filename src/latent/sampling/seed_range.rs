//! Ranges of seeds, cut into chunks that shards share among them.

use std::fmt;
use std::str::FromStr;

/// Seeds one after another, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedRange {
    first: u32,
    last: u32,
}

/// A text is no range of seeds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found {found:?}, expected a seed such as 7, or the first and the last one such as 0-999999; seeds end at 4294967295"
)]
pub struct InvalidSeedRange {
    found: String,
}

/// A part of a range: the seeds with the same quotient by [`SeedChunk::SEEDS`]. The same seeds are in a chunk of every range, except at
/// the ends of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeedChunk {
    number: u32,
    first: u32,
    last: u32,
}

/// One of several programs that share the chunks of a range: chunk `number` belongs to the shard of its remainder by `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0 on.
    index: u32,
    count: u32,
}

/// A text or a pair of numbers is no shard.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("found the shard {found:?}, expected NUMBER/COUNT from 1/COUNT to COUNT/COUNT, such as 3/16")]
pub struct InvalidShard {
    found: String,
}

impl SeedRange {
    /// The seeds from `first` to `last`; `None` if `last` is lower.
    #[must_use]
    pub fn new(first: u32, last: u32) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The number of seeds.
    #[must_use]
    pub fn count(self) -> u64 {
        u64::from(self.last - self.first) + 1
    }

    /// The chunks, in order.
    pub fn chunks(self) -> impl Iterator<Item = SeedChunk> {
        let numbers = self.first / SeedChunk::SEEDS..=self.last / SeedChunk::SEEDS;
        numbers.map(move |number| SeedChunk {
            number,
            first: self.first.max(number * SeedChunk::SEEDS),
            last: self.last.min(number * SeedChunk::SEEDS + (SeedChunk::SEEDS - 1)),
        })
    }
}

impl fmt::Display for SeedRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

impl FromStr for SeedRange {
    type Err = InvalidSeedRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = || Self::new(seed(first)?, seed(last)?);
        range().ok_or_else(|| InvalidSeedRange {
            found: text.to_owned(),
        })
    }
}

/// A seed in digits. `parse` would accept a sign, too.
fn seed(text: &str) -> Option<u32> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_digits)
}

impl SeedChunk {
    /// The seeds of a whole chunk.
    pub const SEEDS: u32 = 256;

    /// The first seed of the whole chunk, which the range may not have.
    #[must_use]
    pub fn start(self) -> u32 {
        self.number * Self::SEEDS
    }

    /// The seeds of the whole chunk.
    pub fn whole(self) -> impl Iterator<Item = u32> {
        self.start()..=self.start() + (Self::SEEDS - 1)
    }

    /// Whether a seed of the whole chunk is in the range.
    #[must_use]
    pub fn contains(self, seed: u32) -> bool {
        (self.first..=self.last).contains(&seed)
    }

    /// The seeds that are in the range.
    #[must_use]
    pub fn range(self) -> SeedRange {
        SeedRange {
            first: self.first,
            last: self.last,
        }
    }
}

impl Shard {
    /// The only shard.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// The shard with this index, from 0 on.
    ///
    /// # Errors
    /// [`InvalidShard`] if there are not so many.
    pub fn new(index: u32, count: u32) -> Result<Self, InvalidShard> {
        if index < count {
            return Ok(Self { index, count });
        }
        Err(InvalidShard {
            found: format!("{}/{count}", u64::from(index) + 1),
        })
    }

    /// Whether the shard makes this chunk.
    #[must_use]
    pub fn owns(self, chunk: SeedChunk) -> bool {
        chunk.number % self.count == self.index
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index + 1, self.count)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = || {
            let (number, count) = text.split_once('/')?;
            Self::new(seed(number)?.checked_sub(1)?, seed(count)?).ok()
        };
        shard().ok_or_else(|| InvalidShard {
            found: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_in_one_chunk_of_one_shard() {
        for (text, chunks) in [
            ("0-1023", 4),
            ("7", 1),
            ("255-256", 2),
            ("4294967000-4294967295", 2),
        ] {
            let range: SeedRange = text.parse().unwrap();
            let shards: Vec<Shard> = (0..3).map(|index| Shard::new(index, 3).unwrap()).collect();
            let mut seeds = 0;
            assert_eq!(range.chunks().count(), chunks, "{text}");
            for chunk in range.chunks() {
                assert_eq!(shards.iter().filter(|shard| shard.owns(chunk)).count(), 1);
                assert!(Shard::ALL.owns(chunk));
                let inside = chunk.whole().filter(|&seed| chunk.contains(seed)).count() as u64;
                assert_eq!(inside, chunk.range().count());
                seeds += inside;
            }
            assert_eq!(seeds, range.count(), "{text}");
        }
    }

    #[test]
    fn ranges_and_shards_are_read_as_they_are_shown() {
        for text in ["0-999999", "3-3"] {
            assert_eq!(text.parse::<SeedRange>().unwrap().to_string(), text);
        }
        for text in ["1/1", "16/16"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "-", "5-", "9-3", "+1-2", "0-4294967296", "1-2-3"] {
            assert!(text.parse::<SeedRange>().is_err(), "{text}");
        }
        for text in ["", "0/4", "5/4", "1", "1/0", "-1/4", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
