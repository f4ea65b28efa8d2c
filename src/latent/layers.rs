//! A range of a w+ code's layers.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::latent::LatentError;

/// The layers `first..=last` of a w+ code, counted from 0.
///
/// Written `3` for one layer and `0-3` for several, and read back the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayerRange {
    first: usize,
    last: usize,
}

impl LayerRange {
    /// The layers `first..=last`.
    ///
    /// # Errors
    ///
    /// [`LatentError::BackwardLayers`] when `last` comes before `first`.
    pub fn new(first: usize, last: usize) -> Result<Self, LatentError> {
        if first > last {
            return Err(LatentError::BackwardLayers { first, last });
        }
        Ok(Self { first, last })
    }

    /// The first layer.
    #[must_use]
    pub fn first(self) -> usize {
        self.first
    }

    /// The last layer, which is in the range.
    #[must_use]
    pub fn last(self) -> usize {
        self.last
    }

    /// The rows of a code with `total` layers that are in the range.
    ///
    /// # Errors
    ///
    /// [`LatentError::LayersBeyond`] when the last layer is not among them.
    pub fn among(self, total: usize) -> Result<Range<usize>, LatentError> {
        let Self { first, last } = self;
        if last >= total {
            return Err(LatentError::LayersBeyond { first, last, total });
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
    fn what_is_no_range_is_refused() {
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
            Err(LatentError::BackwardLayers { first: 3, last: 1 })
        );
    }

    #[test]
    fn a_range_lies_among_the_layers_there_are() {
        let range = LayerRange::new(2, 4).unwrap();
        assert_eq!(range.among(5), Ok(2..5));
        assert_eq!(
            range.among(4),
            Err(LatentError::LayersBeyond {
                first: 2,
                last: 4,
                total: 4
            })
        );
        let unending = LayerRange::new(0, usize::MAX).unwrap();
        assert!(unending.among(18).is_err());
    }
}
