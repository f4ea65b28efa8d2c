//! JPEG and WebP files: smaller than PNG, and not quite the same pixels.

use jpeg_encoder::{ColorType, Encoder};

use super::{ImagingError, Picture};

/// How much of a picture a lossy file keeps: 1 (little) to 100 (nearly all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality(u8);

impl Quality {
    /// A quality; `None` unless it is 1 to 100.
    #[must_use]
    pub fn new(quality: u8) -> Option<Self> {
        (1..=100).contains(&quality).then_some(Self(quality))
    }
}

impl Default for Quality {
    /// 90: hard to tell from the original.
    fn default() -> Self {
        Self(90)
    }
}

/// Encodes a picture as JPEG (baseline).
///
/// # Errors
/// [`ImagingError::TooLarge`] where the picture is over 65,535 pixels wide or high.
pub fn encode_jpeg(picture: &Picture, quality: Quality) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(picture, "JPEG", u16::MAX)?;
    let mut file = Vec::with_capacity(picture.rgb().len() / 8 + 1024);
    Encoder::new(&mut file, quality.0)
        .encode(picture.rgb(), width, height, ColorType::Rgb)
        .map_err(|error| ImagingError::Encoding {
            format: "JPEG",
            reason: error.to_string(),
        })?;
    Ok(file)
}

/// Encodes a picture as WebP (lossy).
///
/// # Errors
/// [`ImagingError::TooLarge`] where the picture is over 16,383 pixels wide or high.
pub fn encode_webp(picture: &Picture, quality: Quality) -> Result<Vec<u8>, ImagingError> {
    let [width, height] = sides(picture, "WebP", 16_383)?.map(u32::from);
    let encoder = webp::Encoder::from_rgb(picture.rgb(), width, height);
    let file = encoder.encode_simple(false, f32::from(quality.0));
    let file = file.map_err(|error| ImagingError::Encoding {
        format: "WebP",
        reason: format!("{error:?}"),
    })?;
    Ok(file.to_vec())
}

/// Width and height, where neither is more than a format has.
fn sides(picture: &Picture, format: &'static str, most: u16) -> Result<[u16; 2], ImagingError> {
    let (width, height) = (picture.width(), picture.height());
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

    fn ramp(side: usize) -> Picture {
        #[expect(clippy::cast_precision_loss, reason = "a small picture")]
        let tensor = Array3::from_shape_fn((3, side, side), |(channel, row, column)| {
            (channel + row + column) as f32 / side as f32 - 1.0
        });
        Picture::from_tensor(tensor.view(), ImageRange::SIGNED).unwrap()
    }

    #[test]
    fn files_say_what_they_are_and_grow_with_quality() {
        let picture = ramp(64);
        let (low, high) = (Quality::new(10).unwrap(), Quality::new(95).unwrap());
        let jpeg = encode_jpeg(&picture, high).unwrap();
        assert!(jpeg.starts_with(&[0xff, 0xd8, 0xff]));
        assert!(encode_jpeg(&picture, low).unwrap().len() < jpeg.len());
        let webp = encode_webp(&picture, high).unwrap();
        assert_eq!((&webp[..4], &webp[8..12]), (&b"RIFF"[..], &b"WEBP"[..]));
        assert!(encode_webp(&picture, low).unwrap().len() < webp.len());
    }

    #[test]
    fn webp_keeps_the_pixels_nearly() {
        let picture = ramp(64);
        let file = encode_webp(&picture, Quality::new(100).unwrap()).unwrap();
        let decoded = webp::Decoder::new(&file).decode().unwrap();
        assert_eq!((decoded.width(), decoded.height()), (64, 64));
        let worst = decoded
            .iter()
            .zip(picture.rgb())
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(worst.unwrap() <= 8, "{worst:?}");
    }

    #[test]
    fn a_picture_that_the_format_cannot_hold_is_an_error() {
        let wide = Picture::blank(70_000, 1);
        for error in [
            encode_jpeg(&wide, Quality::default()).unwrap_err(),
            encode_webp(&wide, Quality::default()).unwrap_err(),
        ] {
            assert!(matches!(error, ImagingError::TooLarge { .. }), "{error}");
        }
        assert_eq!(Quality::new(0), None);
        assert_eq!(Quality::new(101), None);
    }
}
