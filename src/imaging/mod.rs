//! Pictures: image tensors become pixels, pixels become files: PNG that says what made it, JPEG, WebP.

mod alignment;
mod decode;
mod framing;
mod grid;
mod landmarks;
mod level;
mod lossy;
mod padding;
mod picture;
mod png;
mod png_rows;
mod similarity;
mod square;

pub use alignment::Alignment;
pub use decode::{DecodeError, decode};
pub use framing::{Crop, Framing, FramingError, OutsideThePicture, centre, frame, shrunk};
pub use grid::{Layout, arrange};
pub use landmarks::{Landmarks, LandmarksError};
pub use lossy::{Quality, encode_jpeg, encode_webp};
pub use picture::{ImageRange, Picture};
pub use png::{Compression, encode_png, read_png_text};
pub use similarity::Similarity;

/// What can go wrong between a tensor and a file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImagingError {
    /// The generator gave a value that is no number.
    #[error(
        "the image tensor holds {count} values that are not finite, the first at channel {channel}, row {row}, column {column}"
    )]
    NotFinite {
        /// How many values are NaN or infinite.
        count: usize,
        /// Channel of the first of them.
        channel: usize,
        /// Row of the first of them.
        row: usize,
        /// Column of the first of them.
        column: usize,
    },
    /// The tensor is not an RGB picture.
    #[error(
        "an image tensor has 3 channels and at least one pixel, this one is [{channels}, {height}, {width}]"
    )]
    NotRgb {
        /// Channels found.
        channels: usize,
        /// Height found.
        height: usize,
        /// Width found.
        width: usize,
    },
    /// A grid takes pictures of one size.
    #[error(
        "pictures of one grid must have one size, found {found_width}×{found_height} beside {width}×{height}"
    )]
    UnequalSizes {
        /// Width of the first picture.
        width: usize,
        /// Height of the first picture.
        height: usize,
        /// Width of the one that differs.
        found_width: usize,
        /// Height of the one that differs.
        found_height: usize,
    },
    /// A file format does not hold so large a picture.
    #[error(
        "found a picture of {width}×{height} pixels, expected at most {most} a side, which is all that a {format} file holds; ask for \
         fewer faces, for layout=grid, or for format=png"
    )]
    TooLarge {
        /// The file format.
        format: &'static str,
        /// The picture's width.
        width: usize,
        /// The picture's height.
        height: usize,
        /// The longest side that the format has.
        most: u16,
    },
    /// An encoder or decoder refused.
    #[error("{format}: {reason}")]
    Encoding {
        /// The file format.
        format: &'static str,
        /// What the codec said.
        reason: String,
    },
}
