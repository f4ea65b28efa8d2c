//! JPEG and WebP files, which are smaller than PNG files but change the pixels slightly.

use jpeg_encoder::{ColorType, Encoder, EncodingError};

use crate::imaging::files::xmp_in_files::{jpeg_segments, webp_with_xmp};
use crate::imaging::{FileMetadata, Image, ImagingError};

/// The longest side of a WebP file.
pub(super) const WEBP_SIDE: u16 = 16_383;

/// Quality of a lossy file, from 1 (smallest) to 100 (best).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality(u8);

impl Quality {
    /// Makes a quality from 1 to 100; `None` for another number.
    #[must_use]
    pub fn new(quality: u8) -> Option<Self> {
        (1..=100).contains(&quality).then_some(Self(quality))
    }
}

impl Quality {
    /// The quality as the WebP library takes it.
    pub(super) fn percent(self) -> f32 {
        f32::from(self.0)
    }
}

impl Default for Quality {
    /// 90, which is hard to distinguish from the original.
    fn default() -> Self {
        Self(90)
    }
}

/// Encodes an image as baseline JPEG, with the metadata as XMP.
///
/// # Errors
/// [`ImagingError::TooLarge`] if a side of the image is longer than 65,535 pixels.
pub fn encode_jpeg(
    image: &Image,
    quality: Quality,
    metadata: &FileMetadata,
) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(image, "JPEG", u16::MAX)?;
    let mut file = Vec::with_capacity(image.rgb().len() / 8 + 1024);
    let refused = |error: EncodingError| ImagingError::Encoding {
        format: "JPEG",
        reason: error.to_string(),
    };
    let mut encoder = Encoder::new(&mut file, quality.0);
    for segment in jpeg_segments(metadata) {
        encoder.add_app_segment(1, segment).map_err(refused)?;
    }
    encoder
        .encode(image.rgb(), width, height, ColorType::Rgb)
        .map_err(refused)?;
    Ok(file)
}

/// Encodes an image as lossy WebP, with the metadata as XMP.
///
/// # Errors
/// [`ImagingError::TooLarge`] if a side of the image is longer than 16,383 pixels.
pub fn encode_webp(
    image: &Image,
    quality: Quality,
    metadata: &FileMetadata,
) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(image, "WebP", WEBP_SIDE)?.map(u32::from);
    let encoder = webp::Encoder::from_rgb(image.rgb(), width, height);
    let file = encoder.encode_simple(false, quality.percent());
    let file = file.map_err(|error| ImagingError::Encoding {
        format: "WebP",
        reason: format!("{error:?}"),
    })?;
    Ok(webp_with_xmp(&file, [width, height], metadata))
}

/// Width and height, if neither is greater than `most`.
pub(super) fn sides(image: &Image, format: &'static str, most: u16) -> Result<[u16; 2], ImagingError> {
    let (width, height) = (image.width(), image.height());
    let side = |length: usize| u16::try_from(length).ok().filter(|&length| length <= most);
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok([width, height]),
        _ => Err(ImagingError::TooLarge {
            format,
            width,
            height,
            most,
        }),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::imaging::ImageRange;

    fn ramp(side: usize) -> Image {
        #[expect(clippy::cast_precision_loss, reason = "a small image")]
        let tensor = Array3::from_shape_fn((3, side, side), |(channel, row, column)| {
            (channel + row + column) as f32 / side as f32 - 1.0
        });
        Image::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn files_begin_with_their_signature_and_grow_with_quality() {
        let image = ramp(64);
        let (low, high) = (Quality::new(10).unwrap(), Quality::new(95).unwrap());
        let jpeg = encode_jpeg(&image, high, &FileMetadata::default()).unwrap();
        assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]));
        assert!(encode_jpeg(&image, low, &FileMetadata::default()).unwrap().len() < jpeg.len());
        let webp = encode_webp(&image, high, &FileMetadata::default()).unwrap();
        assert_eq!((&webp[..4], &webp[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
        assert!(encode_webp(&image, low, &FileMetadata::default()).unwrap().len() < webp.len());
    }

    #[test]
    fn webp_changes_the_pixels_only_slightly() {
        let image = ramp(64);
        let file = encode_webp(&image, Quality::new(100).unwrap(), &FileMetadata::default()).unwrap();
        let decoded = webp::Decoder::new(&file).decode().unwrap();
        assert_eq!((decoded.width(), decoded.height()), (64, 64));
        let worst = decoded.iter().zip(image.rgb()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst.unwrap() <= 8, "{worst:?}");
    }

    #[test]
    fn an_image_too_large_for_the_format_is_an_error() {
        let wide = Image::white(70_000, 1);
        for error in [
            encode_jpeg(&wide, Quality::default(), &FileMetadata::default()).unwrap_err(),
            encode_webp(&wide, Quality::default(), &FileMetadata::default()).unwrap_err(),
        ] {
            assert!(matches!(error, ImagingError::TooLarge { .. }), "{error}");
        }
        assert_eq!(Quality::new(0), None);
        assert_eq!(Quality::new(101), None);
    }
}
