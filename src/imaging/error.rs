//! The errors between image tensors and image files.

/// An image that cannot be made, arranged or encoded. The message says what was found, what was expected, and what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImagingError {
    /// The image tensor has a NaN or an infinity.
    #[error(
        "found {count} values that are not finite in the image tensor, the first at channel {channel}, row {row}, column \
         {column}; expected finite values: check the generator"
    )]
    NotFinite {
        /// Number of values that are NaN or infinite.
        count: usize,
        /// Channel of the first of them.
        channel: usize,
        /// Row of the first of them.
        row: usize,
        /// Column of the first of them.
        column: usize,
    },
    /// The tensor is not an RGB image.
    #[error(
        "found an image tensor of shape [{channels}, {height}, {width}]; expected 3 channels and at least one pixel"
    )]
    NotRgb {
        /// Number of channels.
        channels: usize,
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
    },
    /// The images of a grid differ in size.
    #[error(
        "found images of {found_width}×{found_height} and {width}×{height} pixels for one grid; expected images of the same \
         size"
    )]
    UnequalSizes {
        /// Width of the first image.
        width: usize,
        /// Height of the first image.
        height: usize,
        /// Width of the first image that differs.
        found_width: usize,
        /// Height of the first image that differs.
        found_height: usize,
    },
    /// The image is larger than the file format allows.
    #[error(
        "found an image of {width}×{height} pixels, expected at most {most} pixels per side for {format}; ask for fewer \
         faces, for layout=grid, or for format=png"
    )]
    TooLarge {
        /// The file format.
        format: &'static str,
        /// Width of the image.
        width: usize,
        /// Height of the image.
        height: usize,
        /// The longest side that the format allows.
        most: u16,
    },
    /// An encoder or a decoder failed.
    #[error("{format}: {reason}")]
    Encoding {
        /// The file format.
        format: &'static str,
        /// The error of the codec.
        reason: String,
    },
}
