//! A range of layers of a w+ code, written `3` or `0-3`.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::latent::LatentError;

/// The layers `first..=last` of a w+ code, counted from 0.
///
/// The text is `3` for one layer and `0-3` for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerRange {
    first: usize,
    last: usize,
}

impl LayerRange {
    /// Makes the range `first..=last`.
    ///
    /// # Errors
    ///
    /// [`LatentError::ReversedLayers`] if `last` is less than `first`.
    pub fn new(first: usize, last: usize) -> Result<Self, LatentError> {
        if first > last {
            return Err(LatentError::ReversedLayers { first, last });
        }
        Ok(Self { first, last })
    }

    /// The first layer.
    #[must_use]
    pub fn first(self) -> usize {
        self.first
    }

    /// The last layer, which is part of the range.
    #[must_use]
    pub fn last(self) -> usize {
        self.last
    }

    /// The range as rows of a code with `total` layers.
    ///
    /// # Errors
    ///
    /// [`LatentError::LayersOutOfRange`] if `last` is `total` or more.
    pub fn rows(self, total: usize) -> Result<Range<usize>, LatentError> {
        let Self { first, last } = self;
        if last >= total {
            return Err(LatentError::LayersOutOfRange { first, last, total });
        }
        Ok(first..last + 1)
    }
}

impl fmt::Display for LayerRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last {
            write!(formatter, "{first}")
        } else {
            write!(formatter, "{first}-{last}")
        }
    }
}

impl FromStr for LayerRange {
    type Err = LatentError;

    fn from_str(text: &str) -> Result<Self, LatentError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => Self::new(first, last),
            _ => Err(LatentError::UnreadableLayers {
                found: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_written() {
        for (text, first, last) in [("3", 3, 3), ("0-3", 0, 3), ("10-17", 10, 17)] {
            let range: LayerRange = text.parse().unwrap();
            assert_eq!(
                (range.first(), range.last(), range.to_string().as_str()),
                (first, last, text)
            );
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "-", "3-", "-3", "a", "1-2-3", "1,2"] {
            assert_eq!(
                text.parse::<LayerRange>(),
                Err(LatentError::UnreadableLayers {
                    found: text.to_owned()
                })
            );
        }
        assert_eq!(
            "3-1".parse::<LayerRange>(),
            Err(LatentError::ReversedLayers { first: 3, last: 1 })
        );
    }

    #[test]
    fn a_range_gives_rows_only_if_the_code_has_them() {
        let range = LayerRange::new(2, 4).unwrap();
        assert_eq!(range.rows(5), Ok(2..5));
        assert_eq!(
            range.rows(4),
            Err(LatentError::LayersOutOfRange {
                first: 2,
                last: 4,
                total: 4
            })
        );
        let endless = LayerRange::new(0, usize::MAX).unwrap();
        assert!(endless.rows(18).is_err());
    }
}
