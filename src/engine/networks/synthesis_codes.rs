//! The codes that a generator makes images of.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView, Axis, RemoveAxis, Slice, concatenate};

/// Codes of several images: rows of z, w or w+, or styles.
#[derive(Clone, Debug, PartialEq)]
pub enum SynthesisCodes {
    /// `[images, rows, dim]`, with the rows and the space that synthesis takes.
    Rows(Array3<f32>),
    /// The styles of all layers side by side, `[images, channels]`.
    Styles(Array2<f32>),
}

impl From<Array3<f32>> for SynthesisCodes {
    fn from(rows: Array3<f32>) -> Self {
        Self::Rows(rows)
    }
}

impl SynthesisCodes {
    /// The number of images.
    #[must_use]
    pub fn images(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len_of(Axis(0)),
            Self::Styles(styles) => styles.nrows(),
        }
    }

    /// The codes of some of the images.
    #[must_use]
    pub(crate) fn part(&self, images: Range<usize>) -> Self {
        let images = Slice::from(images);
        match self {
            Self::Rows(rows) => Self::Rows(rows.slice_axis(Axis(0), images).to_owned()),
            Self::Styles(styles) => Self::Styles(styles.slice_axis(Axis(0), images).to_owned()),
        }
    }

    /// Whether both can share a run.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Rows(_), Self::Rows(_)) | (Self::Styles(_), Self::Styles(_))
        )
    }

    /// Codes of one kind, one after another.
    pub(crate) fn joined(codes: &[&Self]) -> Self {
        let rows = codes.iter().filter_map(|codes| match codes {
            Self::Rows(rows) => Some(rows.view()),
            Self::Styles(_) => None,
        });
        let styles = codes.iter().filter_map(|codes| match codes {
            Self::Rows(_) => None,
            Self::Styles(styles) => Some(styles.view()),
        });
        if let Some(Self::Styles(_)) = codes.first() {
            Self::Styles(stacked(styles))
        } else {
            Self::Rows(stacked(rows))
        }
    }
}

fn stacked<'a, D: RemoveAxis>(parts: impl Iterator<Item = ArrayView<'a, f32, D>>) -> ndarray::Array<f32, D> {
    let parts: Vec<_> = parts.collect();
    concatenate(Axis(0), &parts).expect("codes of one generator and kind have one shape")
}
