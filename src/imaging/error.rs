//! The errors of making, encoding and decoding images.

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
    /// A file cannot be signed.
    #[error("the image cannot be signed: {reason}; check --c2pa-certificate and --c2pa-key")]
    Signing {
        /// The error of the signer.
        reason: String,
    },
}

/// Why a file cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The format is unknown.
    #[error("found {bytes} bytes that are no image; expected a PNG, JPEG, WebP, GIF or BMP file")]
    UnknownFormat {
        /// Bytes of the file.
        bytes: usize,
    },
    /// The format is known, but there is no decoder for it.
    #[error(
        "found an image in the format {format}; expected PNG, JPEG, WebP, GIF or BMP: convert it to JPEG or PNG"
    )]
    UnsupportedFormat {
        /// The format.
        format: &'static str,
    },
    /// The image has too many pixels.
    #[error("found {width}×{height} pixels; expected at most {limit} in all: shrink the image")]
    TooLarge {
        /// Width in the file's header.
        width: u32,
        /// Height in the file's header.
        height: u32,
        /// The most pixels.
        limit: u64,
    },
    /// The file is damaged, or its variant of the format is not supported.
    #[error("found a {format} file that cannot be decoded: {reason}; save the image again")]
    Broken {
        /// The format, from the beginning of the file.
        format: String,
        /// The error of the decoder.
        reason: String,
    },
}
