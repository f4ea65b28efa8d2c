//! Several images on one sheet.

use crate::imaging::{Image, ImagingError};

/// Arrangement of several images on a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SheetLayout {
    /// A grid of ⌈√n⌉ columns.
    #[default]
    Grid,
    /// One row.
    Strip,
    /// Rows of some `columns`, with the first place left white: a table with heads above its columns and before its rows.
    Table {
        /// The number of columns.
        columns: usize,
    },
}

impl SheetLayout {
    fn columns(self, images: usize) -> usize {
        match self {
            Self::Grid => (1..=images).find(|side| side * side >= images).unwrap_or(1),
            Self::Strip => images,
            Self::Table { columns } => columns.max(1),
        }
    }

    /// The places that are left white before the first image.
    fn first(self) -> usize {
        usize::from(matches!(self, Self::Table { .. }))
    }
}

/// Arranges `images` from left to right and from top to bottom, without gaps. The rest of the last row is white.
///
/// # Errors
/// [`ImagingError::UnequalSizes`] if the sizes differ; [`ImagingError::NotRgb`] without images.
pub fn arrange(images: &[Image], layout: SheetLayout) -> Result<Image, ImagingError> {
    let (width, height) = common_size(images)?;
    let columns = layout.columns(images.len());
    let first = layout.first();
    let rows = (first + images.len()).div_ceil(columns);
    let mut sheet = Image::white(columns * width, rows * height);
    for (place, image) in (first..).zip(images) {
        sheet.insert(image, place % columns * width, place / columns * height);
    }
    Ok(sheet)
}

/// The width and the height of all `images`.
///
/// # Errors
/// [`ImagingError::UnequalSizes`] if the sizes differ; [`ImagingError::NotRgb`] without images.
pub(super) fn common_size(images: &[Image]) -> Result<(usize, usize), ImagingError> {
    let first = images.first().ok_or(ImagingError::NotRgb {
        channels: 0,
        height: 0,
        width: 0,
    })?;
    let (width, height) = (first.width(), first.height());
    if let Some(other) = images
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
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::imaging::ImageRange;

    fn flat(level: f32, width: usize) -> Image {
        Image::from_tensor(Array3::from_elem((3, 2, width), level).view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn a_grid_is_nearly_square() {
        let sizes = [1, 2, 3, 4, 5, 9, 10].map(|count| {
            let sheet = arrange(&vec![flat(0.0, 2); count], SheetLayout::Grid).unwrap();
            (sheet.width() / 2, sheet.height() / 2)
        });
        assert_eq!(sizes, [(1, 1), (2, 1), (2, 2), (2, 2), (3, 2), (3, 3), (4, 3)]);
    }

    #[test]
    fn a_strip_is_one_row_in_order() {
        let strip = arrange(&[flat(-1.0, 1), flat(1.0, 1)], SheetLayout::Strip).unwrap();
        assert_eq!(strip.rgb()[..6], [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn a_table_leaves_its_first_place_white() {
        let images = [flat(-1.0, 1), flat(-1.0, 1), flat(0.0, 1)];
        let table = arrange(&images, SheetLayout::Table { columns: 2 }).unwrap();
        assert_eq!((table.width(), table.height()), (2, 4));
        let red = |row: usize, column: usize| table.rgb()[3 * (2 * row + column)];
        assert_eq!([red(0, 0), red(0, 1), red(2, 0), red(2, 1)], [255, 0, 0, 128]);
    }

    #[test]
    fn images_of_different_sizes_are_refused() {
        let error = arrange(&[flat(0.0, 2), flat(0.0, 3)], SheetLayout::Grid).unwrap_err();
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
