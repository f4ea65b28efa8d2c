//! Several pictures on one sheet.

use super::{ImagingError, Picture};

/// How several pictures share a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As square as it goes: ⌈√n⌉ columns.
    #[default]
    Grid,
    /// One row.
    Strip,
}

impl Layout {
    fn columns(self, pictures: usize) -> usize {
        match self {
            Self::Grid => (1..=pictures).find(|side| side * side >= pictures).unwrap_or(1),
            Self::Strip => pictures,
        }
    }
}

/// Lays `pictures` out from left to right and from top to bottom, without gaps; a last row that is not full ends white.
///
/// # Errors
/// [`ImagingError::UnequalSizes`] unless all have one size; [`ImagingError::NotRgb`] where there is none.
pub fn arrange(pictures: &[Picture], layout: Layout) -> Result<Picture, ImagingError> {
    let first = pictures.first().ok_or(ImagingError::NotRgb {
        channels: 0,
        height: 0,
        width: 0,
    })?;
    let (width, height) = (first.width(), first.height());
    if let Some(other) = pictures
        .iter()
        .find(|other| (other.width(), other.height()) != (width, height))
    {
        return Err(ImagingError::UnequalSizes {
            width,
            height,
            found_width: other.width(),
            found_height: other.height(),
        });
    }
    let columns = layout.columns(pictures.len());
    let mut sheet = Picture::blank(columns * width, pictures.len().div_ceil(columns) * height);
    for (place, picture) in pictures.iter().enumerate() {
        sheet.paint(picture, place % columns * width, place / columns * height);
    }
    Ok(sheet)
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::imaging::ImageRange;

    fn flat(level: f32, width: usize) -> Picture {
        Picture::from_tensor(Array3::from_elem((3, 2, width), level).view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn a_grid_is_as_square_as_it_goes() {
        let sizes = [1, 2, 3, 4, 5, 9, 10].map(|count| {
            let sheet = arrange(&vec![flat(0.0, 2); count], Layout::Grid).unwrap();
            (sheet.width() / 2, sheet.height() / 2)
        });
        assert_eq!(sizes, [(1, 1), (2, 1), (2, 2), (2, 2), (3, 2), (3, 3), (4, 3)]);
    }

    #[test]
    fn a_strip_is_one_row_in_order() {
        let strip = arrange(&[flat(-1.0, 1), flat(1.0, 1)], Layout::Strip).unwrap();
        assert_eq!(strip.rgb()[..6], [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn pictures_of_two_sizes_are_refused() {
        let error = arrange(&[flat(0.0, 2), flat(0.0, 3)], Layout::Grid).unwrap_err();
        assert_eq!(
            error,
            ImagingError::UnequalSizes {
                width: 2,
                height: 2,
                found_width: 3,
                found_height: 2
            }
        );
    }
}
